package kiln.tui.cli.reports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KernelTimes;
import kiln.runtime.check.Bench;
import kiln.tui.cli.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelBenchReportTest {
    private static final KernelTimes RESULT = new KernelTimes(
            "NVIDIA GeForce GT 1030",
            6e9,
            40e9,
            List.of(
                    new KernelTimes.Row("denoiser", "layer_norm", "f16 x4", "LayerNorm", 16, 1e-5, 1e-5, 0, 2e6, 0.2),
                    new KernelTimes.Row("denoiser", "gemm", "f16 tile", "Linear", 32, 2e-5, 1.9e-5, 1e7, 1e6, 0.8),
                    new KernelTimes.Row("attention", "attention", "f16 hd40", "sizes", 0, 1e-3, 1e-3, 2e9, 1e6, 0)));

    @TempDir
    private Path folder;

    private String print(boolean json) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        new KernelBenchReport(Run.in(folder).context(stream, stream), Path.of("models", "a.safetensors"), 512, 512).print(RESULT, json);
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theTableBeginsWithWhatTakesMostOfAStep() {
        assertThat(print(false).lines())
                .containsSubsequence(
                        "a.safetensors, 512x512, NVIDIA GeForce GT 1030",
                        "copies: 6.0 GB/s to the card, 40 GB/s on it (read and written)",
                        "denoiser: 0.800 ms in 48 launches",
                        " share  times       µs  TFLOP/s     GB/s  kernel",
                        " 80.0%     32     20.0     0.50     50.0  gemm f16 tile, Linear",
                        " 20.0%     16     10.0             200.0  layer_norm f16 x4, LayerNorm",
                        "attention",
                        "                1000.0     2.00      1.0  attention f16 hd40, sizes");
    }

    @Test
    void theJsonHasEveryRow() throws IOException {
        JsonNode json = new ObjectMapper().readTree(print(true));
        assertThat(json.get("kernels")).hasSize(3);
        JsonNode gemm = json.get("kernels").get(1);
        assertThat(gemm.get("flopsPerSecond").asDouble()).isCloseTo(5e11, within(1e3));
        assertThat(gemm.get("count").asInt()).isEqualTo(32);
    }

    private static Bench.Result timed(double step, double decode, long streamed) {
        return new Bench.Result(
                new Bench.Timing(step, step), new Bench.Timing(decode, decode), new Bench.Timing(1, 1), "f16", "card", 0, null, streamed, null);
    }

    @Test
    void aBudgetIsComparedWithTheLongerOfComputingAndCopying() {
        BudgetComparison copying = new BudgetComparison(1700L << 20, timed(1, 2, 0), timed(3, 3, 20_000_000_000L), 10e9);
        assertThat(copying.stepRatio()).isEqualTo(3);
        assertThat(copying.ratioToBound()).isEqualTo(1.5);
        assertThat(copying.lines().get(0)).isEqualTo("a step takes 3.00 times as long, 1.50 times the longer of computing (1.0000 s) and"
                + " copying (2.0000 s at 10.0 GB/s)");
        assertThat(copying.lines().get(1)).contains("1.50 times");
        assertThat(new BudgetComparison(1, timed(1, 2, 0), timed(1.1, 3, 1), 10e9).ratioToBound()).isEqualTo(1.1);
    }
}
