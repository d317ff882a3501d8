package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.emulator.EmulatorChecks;
import kiln.runtime.base.AttentionKind;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.AttentionChoice;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole pictures of the demo model, drawn by the engine on an emulated card. */
class CudaPictureTest {
    private static final long ROOMY = 64 << 20;
    /** Less than the demo's networks need together (17 MB in 16 bits), or its denoiser alone (7.5 MB). */
    private static final long TIGHT = 7 << 20;

    @TempDir
    Path cache;

    /** What a request came to. */
    private record Drawn(GenerationEvent last, byte[] rgb, List<String> notices, DeviceUse use) {}

    private Drawn draw(Engine.DeviceOpener opener, int size, int steps) {
        return draw(opener, "cuda", size, steps);
    }

    private Drawn draw(Engine.DeviceOpener opener, String executor, int size, int steps) {
        EngineOptions options = new EngineOptions(
                List.of(), List.of(), Path.of("demo", "kiln-demo.safetensors"), null, cache, executor, Precision.AUTO, 0, DeviceOptions.DEFAULT);
        GenerationRequest request =
                GenerationRequest.builder().prompt("flat red heart").width(size).height(size).steps(steps).seed(1).build();
        List<String> notices = new ArrayList<>();
        byte[][] rgb = new byte[1][];
        try (Engine engine = new Engine(options, opener)) {
            GenerationEvent last = engine.submit(request, event -> {
                        if (event instanceof GenerationEvent.Notice notice) {
                            notices.add(notice.text());
                        } else if (event instanceof GenerationEvent.PictureDone done) {
                            rgb[0] = done.picture().image().rgb();
                        }
                    })
                    .await();
            return new Drawn(last, rgb[0], notices, engine.deviceUse());
        }
    }

    private static Engine.DeviceOpener on(EmulatedDriver driver, DataType type, Residency highest) {
        CudaSettings settings = new CudaSettings(type, Set.of(), false, new MemoryBudget(0, 0, 0), highest, 1L << 30);
        return (options, notices) -> new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> settings);
    }

    private static EmulatedDriver card(long bytes) {
        return new EmulatedDriver(EmulatedCard.ofBytes(bytes).withChecks(EmulatorChecks.NONE.withUninitialisedReads(true)).withLazyStreams(7));
    }

    @Test
    void aCardDrawsWhatPlainJavaDraws() {
        byte[] expected = draw(Devices::open, "reference", 64, 1).rgb();
        byte[] drawn = draw(on(card(ROOMY), DataType.F32, Residency.RESIDENT), 64, 1).rgb();
        // Both sum in 32 bits, in another order; a value at the middle between two colours may fall to either.
        for (int i = 0; i < expected.length; i++) {
            assertThat((drawn[i] & 0xff) - (expected[i] & 0xff)).as("value %d", i).isBetween(-1, 1);
        }
    }

    @Test
    void thePictureDoesNotDependOnWhatStaysOnTheCard() {
        EmulatedDriver roomy = card(ROOMY);
        Drawn resident = draw(on(roomy, DataType.F16, Residency.RESIDENT), 64, 2);
        Drawn turns = draw(on(card(ROOMY), DataType.F16, Residency.TAKING_TURNS), 64, 2);
        EmulatedDriver tight = card(TIGHT);
        Drawn streamed = draw(on(tight, DataType.F16, Residency.RESIDENT), 64, 2);
        assertThat(resident.use().residency()).isEqualTo("resident");
        assertThat(turns.use().residency()).isEqualTo("medvram");
        assertThat(streamed.use().residency()).isEqualTo("lowvram");
        assertThat(turns.rgb()).isEqualTo(resident.rgb());
        assertThat(streamed.rgb()).isEqualTo(resident.rgb());
        // What is streamed crosses the bus once for each of the two steps; nothing comes back but results.
        assertThat(tight.record().bytesToDevice()).isLessThan(3 * roomy.record().bytesToDevice());
        assertThat(tight.record().bytesToHost()).isEqualTo(roomy.record().bytesToHost());
        assertThat(tight.record().peakBytes()).isLessThanOrEqualTo(TIGHT);
    }

    @Test
    void aDecoderWithoutRoomWorksInBandsAndGivesTheSamePicture() {
        byte[] expected = draw(on(card(ROOMY), DataType.F16, Residency.RESIDENT), 112, 1).rgb();
        EmulatedDriver tight = card(TIGHT);
        Drawn drawn = draw(on(tight, DataType.F16, Residency.RESIDENT), 112, 1);
        assertThat(drawn.rgb()).isEqualTo(expected);
        assertThat(drawn.notices()).singleElement().asString().startsWith("the decoder works in bands of rows");
        assertThat(tight.record().peakBytes()).isLessThanOrEqualTo(TIGHT);
        assertThat(tight.record().livePinned()).isZero();
    }

    @Test
    void allKindsOfAttentionDrawTheSamePicture() {
        byte[] expected = null;
        for (AttentionKind kind : AttentionKind.values()) {
            CudaSettings settings = new CudaSettings(
                    DataType.F32,
                    Set.of(),
                    Set.of(),
                    false,
                    new AttentionChoice(kind, 1000),
                    new MemoryBudget(0, 0, 0),
                    Residency.RESIDENT,
                    1L << 30);
            EmulatedDriver driver = card(ROOMY);
            byte[] drawn = draw((options, notices) -> new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> settings), 32, 1).rgb();
            assertThat(driver.record().launches().containsKey("attention_scores"))
                    .isEqualTo(kind != AttentionKind.AUTO && kind != AttentionKind.MEMORY_EFFICIENT);
            expected = expected == null ? drawn : expected;
            // Sums in another order: a value in the middle between two colours may fall to either.
            for (int i = 0; i < expected.length; i++) {
                assertThat((drawn[i] & 0xff) - (expected[i] & 0xff)).as("%s, value %d", kind, i).isBetween(-1, 1);
            }
        }
    }

    @Test
    void aStepAllocatesNothing() {
        EmulatedDriver driver = card(ROOMY);
        draw(on(driver, DataType.F16, Residency.RESIDENT), 32, 1);
        long allocations = driver.record().calls(DriverCall.ALLOCATE) + driver.record().calls(DriverCall.ALLOCATE_PINNED);
        EmulatedDriver longer = card(ROOMY);
        draw(on(longer, DataType.F16, Residency.RESIDENT), 32, 3);
        assertThat(longer.record().calls(DriverCall.ALLOCATE) + longer.record().calls(DriverCall.ALLOCATE_PINNED)).isEqualTo(allocations);
    }

    @Test
    void aFailureAtAnyAllocationEndsInAPictureOrAClearErrorAndFreesEverything() {
        EmulatedDriver counting = card(TIGHT);
        byte[] expected = draw(on(counting, DataType.F16, Residency.RESIDENT), 32, 1).rgb();
        for (DriverCall kind : List.of(DriverCall.ALLOCATE, DriverCall.ALLOCATE_PINNED)) {
            long allocations = counting.record().calls(kind);
            assertThat(allocations).isPositive();
            for (int nth = 1; nth <= allocations; nth++) {
                EmulatedDriver driver = card(TIGHT);
                driver.record().fail(kind, nth, "CUDA_ERROR_OUT_OF_MEMORY");
                Drawn drawn = draw(on(driver, DataType.F16, Residency.RESIDENT), 32, 1);
                if (drawn.last() instanceof GenerationEvent.Failed failed) {
                    assertThat(failed.category()).as("%s %d", kind, nth).isEqualTo(KilnException.Category.OUT_OF_MEMORY);
                    assertThat(failed.message()).contains("CUDA_ERROR_OUT_OF_MEMORY while").doesNotContain("\n");
                } else {
                    assertThat(drawn.rgb()).as("%s %d", kind, nth).isEqualTo(expected);
                }
                assertThat(driver.record().liveAllocations()).isZero();
                assertThat(driver.record().livePinned()).isZero();
                assertThat(driver.record().leftovers()).isEmpty();
            }
        }
    }
}
