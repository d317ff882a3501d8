package kiln.kernels.cases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.DataType;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.attention.TensorAttention;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.op.element.UpsampleNearest;
import org.junit.jupiter.api.Test;

class CaseReplayTest {
    private static final KernelCase UPSAMPLING = KernelCases.of(new UpsampleNearest(DataType.F16, 4)).get(0);

    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(16 << 20).withCapability(75));

    private CaseReplay.Outcome replay(KernelCase kernelCase) {
        try (CudaContext context = driver.open(0);
                CaseReplay replay = new CaseReplay(context)) {
            return replay.replay(kernelCase);
        }
    }

    private static KernelCase withExpected(KernelCase from, float[] expected) {
        List<KernelCase.Buffer> buffers = from.buffers().stream()
                .map(buffer -> buffer.expected() == null
                        ? buffer
                        : new KernelCase.Buffer(buffer.name(), buffer.type(), buffer.shape(), buffer.values(), expected))
                .toList();
        return new KernelCase(from.kernel(), from.size(), buffers, from.calls(), from.absolute(), from.relative());
    }

    private static float[] expected(KernelCase from) {
        return from.buffers().stream().filter(buffer -> buffer.expected() != null).findFirst().orElseThrow().expected().clone();
    }

    @Test
    void aCaseThatHoldsIsAcceptedAndEverythingFreed() {
        assertThat(replay(UPSAMPLING).ok()).isTrue();
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.record().livePinned()).isZero();
        assertThat(driver.record().leftovers()).isEmpty();
    }

    @Test
    void theWorstElementIsNamed() {
        float[] wrong = expected(UPSAMPLING);
        wrong[9] += 3;
        CaseReplay.Outcome outcome = replay(withExpected(UPSAMPLING, wrong));
        assertThat(outcome.ok()).isFalse();
        assertThat(outcome.element()).isEqualTo(9);
        // Halves near one have steps of a thousandth.
        assertThat(outcome.error()).isBetween(2.99, 3.01);
        assertThat(outcome.toString()).startsWith("out[9] is ");
    }

    @Test
    void whatIsNoNumberIsWrong() {
        float[] wrong = expected(UPSAMPLING);
        wrong[3] = Float.NaN;
        CaseReplay.Outcome outcome = replay(withExpected(UPSAMPLING, wrong));
        assertThat(outcome.ok()).isFalse();
        assertThat(outcome.element()).isEqualTo(3);
    }

    @Test
    void aResultThatNothingWritesIsWrong() {
        KernelCase narrower = KernelCases.of(new UpsampleNearest(DataType.F16, 1)).get(0);
        KernelCase nothing = new KernelCase(
                UPSAMPLING.kernel(), UPSAMPLING.size(), UPSAMPLING.buffers(), List.of(narrower.calls().get(0)), 1, 1);
        // The narrower case has fewer elements: the last of the wider one's are left.
        assertThat(replay(nothing).ok()).isFalse();
    }

    @Test
    void aCardOnlyRunsWhatItHasInstructionsFor() {
        try (CudaContext context = driver.open(0);
                CaseReplay replay = new CaseReplay(context)) {
            assertThat(replay.canRun(KernelCases.of(new Elementwise(Elementwise.Function.ADD, DataType.F16, 1)).get(0))).isTrue();
            assertThat(replay.canRun(KernelCases.of(new TensorAttention(Arithmetic.MMA16, 40, false, 64)).get(0))).isFalse();
        }
    }

    @Test
    void aFailingDriverLeavesNothingBehind() {
        driver.record().fail(DriverCall.ALLOCATE_PINNED, 2, "CUDA_ERROR_OUT_OF_MEMORY");
        assertThatThrownBy(() -> replay(UPSAMPLING)).isInstanceOf(CudaException.class);
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.record().livePinned()).isZero();
    }
}
