package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script beside a stand-in for Kiln, as in an unpacked bundle. */
class CardReportTest {
    private static final String STEP = "{\"unetStep\":{\"median\":0.02,\"min\":0.02},\"vaeDecode\":{\"median\":0.05,\"min\":0.05},"
            + "\"stepsPerSecond\":50.0,\"deviceUse\":{\"residency\":\"resident\",\"peakBytes\":1048576000,"
            + "\"freeBytes\":1048576,\"totalBytes\":2097152000}";

    @TempDir
    private Path folder;

    private Path script;
    private Path out;

    @BeforeEach
    void prepare() throws IOException {
        Path bundle = Files.createDirectories(folder.resolve("a folder"));
        script = Files.copy(Path.of("card-report"), bundle.resolve("card-report"));
        out = folder.resolve("out");
        Path kiln = Files.writeString(
                bundle.resolve("kiln"),
                "#!/bin/sh\n"
                        + "case \"$*\" in\n"
                        + "doctor*) echo '{\"executor\":\"CUDA on 0 (a card)\"}' ;;\n"
                        + "*op:*) echo '{\"ops\":[{\"op\":\"Add\",\"ok\":true},{\"op\":\"Linear\",\"ok\":true}]}' ;;\n"
                        + "*instruction:*) for folder; do :; done; echo here >\"$folder/sm_50.vectors\";"
                        + " echo '{\"kernels\":[{\"kernel\":\"instruction\",\"ok\":true}]}' ;;\n"
                        + "*kernel:*) echo '{\"kernels\":[{\"kernel\":\"gemm\",\"ok\":true},{\"kernel\":\"softmax\",\"ok\":false}]}'; exit 8 ;;\n"
                        + "*picture:*) exit 70 ;;\n"
                        + "*--kernels*) echo '{\"busBytesPerSecond\":5.0E10,\"memoryBytesPerSecond\":3.0E12,\"kernels\":[{\"group\":\"denoiser\","
                        + "\"kernel\":\"gemm\",\"variant\":\"f16\",\"sizes\":\"Linear\",\"count\":2,\"seconds\":1.0E-5,\"flopsPerSecond\":1.0E14,"
                        + "\"bytesPerSecond\":2.0E12,\"share\":1.0}]}' ;;\n"
                        + "*compare*) echo '" + STEP + ",\"compared\":" + STEP + ",\"stepRatio\":1.5,\"ratioToBound\":1.25}}' ;;\n"
                        + "*int8*) echo 'kiln: no memory \"left\"' >&2; exit 6 ;;\n"
                        + "*) echo '" + STEP + "}' ;;\n"
                        + "esac\n");
        Files.setPosixFilePermissions(kiln, PosixFilePermissions.fromString("rwx------"));
    }

    private int report(String... options) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("sh", script.toString());
        builder.command().addAll(List.of(options));
        builder.environment().remove("OUT");
        return builder.redirectErrorStream(true).redirectOutput(folder.resolve("said").toFile()).start().waitFor();
    }

    private String said() throws IOException {
        return Files.readString(folder.resolve("said"), StandardCharsets.UTF_8);
    }

    @Test
    void everyPartIsToldAndNoFailureStopsTheOthers() throws IOException, InterruptedException {
        assertThat(report("--out", out.toString(), "--limit", "100")).isZero();
        List<String> summary = Files.readAllLines(out.resolve("summary.txt"));
        assertThat(summary.stream().map(line -> line.replaceAll(" +", " ")).collect(Collectors.toList()))
                .contains(
                        "doctor CUDA on 0 (a card)",
                        "ops all 2 right",
                        "instructions all 1 right",
                        "kernel-cases 1 of 2 WRONG",
                        " \"kernel\":\"softmax\",\"ok\":false}]}",
                        "resident step 0.0200 s, 50.00 it/s, decode 0.0500 s, peak 1000 MiB of the card (driver: 1999), resident",
                        "kernels 1 timed; 50.0 GB/s to the card, 3000 GB/s on it",
                        " denoiser 100.0% 2 x 10.0 us 100.00 TFLOP/s 2000.0 GB/s gemm f16, Linear",
                        "int8 failed (6): kiln: no memory \"left\"")
                .anyMatch(line -> line.startsWith("pictures failed (70)"))
                .anyMatch(line -> line.endsWith("resident: 1.50 times as long, 1.25 times the longer of computing and copying"));
        assertThat(said()).isEqualTo(String.join("\n", summary) + "\n");
        assertThat(out.resolve("sm_50.vectors")).hasContent("here");
        List<String> results = Files.readAllLines(out.resolve("results.jsonl"));
        assertThat(results).allSatisfy(line -> assertThat(line).startsWith("{\"part\":\"").endsWith("}"));
        assertThat(results.get(0)).matches("\\{\"part\":\"doctor\",\"command\":\".*/kiln doctor --json\",\"exit\":0,\"seconds\":\\d+,"
                + "\"result\":\\{\"executor\":\"CUDA on 0 \\(a card\\)\"}}");
        assertThat(Files.readString(out.resolve("log"))).contains("== int8: ").contains("no memory");
    }

    @Test
    void whatThereIsNoTimeForIsSkipped() throws IOException, InterruptedException {
        assertThat(report("--out", out.toString(), "--limit", "5")).isZero();
        assertThat(Files.readAllLines(out.resolve("summary.txt"))).hasSizeGreaterThan(5).allMatch(line -> line.endsWith("skipped: no time left"));
    }

    @Test
    void wrongOptionsAreToldInOneLine() throws IOException, InterruptedException {
        assertThat(report()).isEqualTo(2);
        assertThat(said()).isEqualTo("card-report: where to? say --out FOLDER\n");
        assertThat(report("--out", out.toString(), "--limit", "soon")).isEqualTo(2);
        assertThat(report("--fast")).isEqualTo(2);
        assertThat(report("--out", out.toString(), "--ckpt", folder.resolve("none").toString())).isEqualTo(3);
        assertThat(said()).contains("cannot read");
    }
}
