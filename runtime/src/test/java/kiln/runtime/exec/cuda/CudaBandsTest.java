package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.emulator.EmulatorChecks;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** When the executor takes to bands: the demo's decoder, whose weights take 4.8 MB and whose results 2.6 MB. */
class CudaBandsTest {
    private static final int HEIGHT = 8;
    private static final int WIDTH = 16;
    private static final long ROOMY = 32 << 20;
    private static final long TIGHT = 6_300_000;

    private static ModelFiles weights;
    private static Graph decoder;
    private static float[] whole;

    private final List<String> notices = new ArrayList<>();

    @BeforeAll
    static void decodeWhole() {
        weights = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
        decoder = Checkpoint.infer(weights::shape).vae().decoder(weights::shape, 1, HEIGHT, WIDTH);
        List<String> notices = new ArrayList<>();
        whole = decode(card(ROOMY), notices);
        assertThat(notices).as("there is room for all").isEmpty();
    }

    @AfterAll
    static void close() {
        weights.close();
    }

    private static EmulatedDriver card(long bytes) {
        return new EmulatedDriver(EmulatedCard.ofBytes(bytes).withChecks(EmulatorChecks.NONE.withUninitialisedReads(true)).withLazyStreams(2));
    }

    private static float[] decode(EmulatedDriver driver, List<String> notices, Graph... others) {
        float[] latent = new float[HEIGHT * WIDTH * 4];
        for (int i = 0; i < latent.length; i++) {
            latent[i] = i % 13 / 6f - 1;
        }
        CudaDevice device = new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> CudaSettings.USUAL);
        try (Executor executor = LoneExecutor.open(device, weights, notices::add)) {
            for (Graph other : others) {
                executor.announce("denoiser", other);
            }
            try (CompiledGraph compiled = executor.compile("decoder", decoder, f -> {})) {
                return compiled.run(Map.of("latent", latent), Progress.NONE).get("image");
            }
        } finally {
            assertThat(driver.record().liveAllocations()).isZero();
            assertThat(driver.record().livePinned()).isZero();
            assertThat(driver.record().leftovers()).isEmpty();
        }
    }

    @Test
    void aCardThatIsTooSmallGivesTheSamePicture() {
        EmulatedDriver tight = card(TIGHT);
        assertThat(decode(tight, notices)).containsExactly(whole);
        assertThat(notices).singleElement().asString().matches("the decoder works in bands of rows, .* need 2\\.0 MiB of .*, and 896\\.5 KiB are used");
        assertThat(tight.record().peakBytes()).isLessThanOrEqualTo(TIGHT);
    }

    @Test
    void theyAreTriedWhenAllocationsFail() {
        EmulatedDriver driver = card(ROOMY);
        // Results beside the weights; both in one as with --medvram and --lowvram; then an eighth less each time, until 7.0 MiB are there.
        for (int nth = 2; nth <= 8; nth++) {
            driver.record().fail(DriverCall.ALLOCATE, nth, "CUDA_ERROR_OUT_OF_MEMORY");
        }
        Graph denoiser = Checkpoint.infer(weights::shape).unet().graph(weights::shape, 2, HEIGHT, WIDTH, 77, 1);
        assertThat(decode(driver, notices, denoiser)).containsExactly(whole);
        assertThat(notices).hasSize(8).last().asString().startsWith("the decoder works in bands");
        assertThat(notices.subList(0, 7)).allSatisfy(notice -> assertThat(notice).contains(": CUDA_ERROR_OUT_OF_MEMORY while reserving"));
    }

    @Test
    void hostMemoryThatCannotBePinnedIsNamed() {
        EmulatedDriver driver = card(TIGHT);
        // The first two are for staging.
        driver.record().fail(DriverCall.ALLOCATE_PINNED, 3, "CUDA_ERROR_OUT_OF_MEMORY");
        assertThatThrownBy(() -> decode(driver, notices))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.OUT_OF_MEMORY))
                .hasMessageContaining("pinned host memory for results of the decoder")
                .hasMessageContaining("could be had: draw a smaller picture");
    }
}
