package kiln.tui.cli.options;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Set;
import kiln.runtime.base.AttentionKind;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.base.MemoryMode;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.base.Precision;
import kiln.runtime.base.WeightFormat;
import kiln.tui.cli.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;

class DeviceFlagsTest {
    @TempDir
    private Path folder;

    @CommandLine.Command
    private static final class Flags {
        @ArgGroup(validate = false)
        private DeviceFlags device = new DeviceFlags();

        @ArgGroup(validate = false)
        private ComputeOptions compute = new ComputeOptions();

        static Flags of(String arguments) {
            Flags flags = new Flags();
            new CommandLine(flags).setOverwrittenOptionsAllowed(true).parseArgs(arguments.isEmpty() ? new String[0] : arguments.split(" "));
            return flags;
        }

        DeviceOptions options() {
            return device.options(compute);
        }
    }

    private static DeviceOptions options(String arguments) {
        return Flags.of(arguments).options();
    }

    @Test
    void withoutFlagsEverythingIsLeftToKiln() {
        assertThat(options("")).isEqualTo(DeviceOptions.DEFAULT);
    }

    @Test
    void everyFlagReachesTheOptions() {
        assertThat(options("--device-id GPU-8a56 --vram-budget 1700M --vram-headroom 0.25G --medvram --gemm cublas --conv PTX --weights int8"
                        + " --no-half-vae --upcast-sampling --use-cpu text,VAE"))
                .isEqualTo(DeviceOptions.builder()
                        .device("GPU-8a56")
                        .vramBudgetBytes(1700L << 20)
                        .vramHeadroomBytes(256L << 20)
                        .memory(MemoryMode.MEDVRAM)
                        .gemm(LibraryChoice.NVIDIA)
                        .convolution(LibraryChoice.PTX)
                        .weights(WeightFormat.INT8)
                        .noHalfVae(true)
                        .upcastSampling(true)
                        .cpuParts(Set.of(NetworkPart.TEXT_ENCODER, NetworkPart.VAE))
                        .build());
    }

    @Test
    void lowvramGoesBeforeMedvram() {
        assertThat(options("--medvram --lowvram").memory()).isEqualTo(MemoryMode.LOWVRAM);
    }

    @ParameterizedTest
    @CsvSource({
        "'', AUTO",
        "--xformers, MEMORY_EFFICIENT",
        "--force-enable-xformers, MEMORY_EFFICIENT",
        "--opt-split-attention, SPLIT",
        "--opt-split-attention-v1, SPLIT_V1",
        "--opt-split-attention-invokeai, SPLIT",
        "--opt-sub-quad-attention, MEMORY_EFFICIENT",
        "--opt-sdp-attention, MEMORY_EFFICIENT",
        "--opt-sdp-no-mem-attention, MEMORY_EFFICIENT",
        "--disable-opt-split-attention, WHOLE",
        "--opt-split-attention --xformers, MEMORY_EFFICIENT",
        "--opt-sdp-attention --opt-split-attention, SPLIT",
        "--opt-split-attention-v1 --opt-sdp-no-mem-attention, MEMORY_EFFICIENT",
        "--opt-split-attention-v1 --opt-sub-quad-attention, MEMORY_EFFICIENT",
        "--opt-split-attention-v1 --opt-split-attention-invokeai, SPLIT_V1",
        "--opt-split-attention-v1 --opt-split-attention, SPLIT",
        "--disable-opt-split-attention --xformers, WHOLE",
    })
    void ofSeveralAttentionFlagsA1111sFirstCounts(String flags, AttentionKind kind) {
        assertThat(options(flags).attention()).isEqualTo(kind);
    }

    @ParameterizedTest
    @CsvSource({"all, 3", "sd, 3", "unet, 1", "interrogate, 0", "'gfpgan,bsrgan,esrgan,scunet,codeformer', 0", "'text,SD', 3"})
    void useCpuKnowsA1111sWordsAndThePartsOfAModel(String words, int parts) {
        assertThat(options("--use-cpu " + words).cpuParts()).hasSize(parts);
    }

    @Test
    void noHalfMeansF32Throughout() {
        Flags flags = Flags.of("--precision full --no-half");
        assertThat(flags.options().weights()).isEqualTo(WeightFormat.F32);
        assertThat(flags.compute.precision()).isEqualTo(Precision.F32);
        assertThat(options("--precision full").weights()).as("arithmetic is another matter than storage").isEqualTo(WeightFormat.F16);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--device-id cuda:0", "--device-id -1", "--vram-budget lots", "--vram-headroom 5X", "--weights q3", "--gemm cudnn", "--conv cublas",
        "--use-cpu tpu", "--no-half --weights int8", "--executor cuda --use-cpu all"
    })
    void whatIsNotPossibleIsRefusedByName(String flags) {
        assertThatThrownBy(() -> options(flags))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.BAD_REQUEST))
                .hasMessageContaining(flags.replaceFirst(" .*", ""));
    }

    @Test
    void noHalfContradictsHalfPrecisionAsInA1111() {
        assertThatThrownBy(() -> Flags.of("--no-half --precision half").compute.precision()).hasMessageContaining("contradict");
        assertThat(Flags.of("--no-half --precision autocast").compute.precision()).isEqualTo(Precision.F32);
    }

    @Test
    void commandsThatComputeShowThemAndTheOthersTakeThemQuietly() {
        for (String name : new String[] {"txt2img", "bench", "selftest", "doctor"}) {
            assertThat(Run.in(folder).kiln(name, "--help").out()).as(name).contains("--device-id", "--lowvram", "--xformers", "--vram-budget");
        }
        String[] flags = {"--lowvram", "--xformers", "--device-id", "1", "--vram-budget", "2G", "--opt-sdp-attention", "--no-half-vae"};
        for (String name : new String[] {"version", "models"}) {
            Run run = Run.in(folder).variable("COMMANDLINE_ARGS", String.join(" ", flags)).kiln(name);
            assertThat(run.exitCode()).as(name).isZero();
            assertThat(run.err()).as(name).isEmpty();
        }
    }

    @Test
    void theCpuDrawsWithAnyOfThemWithoutAWord() {
        Run run = Run.in(folder).demo().kiln(
                "txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "--lowvram", "--xformers", "--device-id=3", "--upcast-sampling", "-o",
                folder.resolve("x.png").toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "--vram-budget", "much"), 2, "--vram-budget 'much'");
    }
}
