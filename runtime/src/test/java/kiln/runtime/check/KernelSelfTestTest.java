package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import org.junit.jupiter.api.Test;

class KernelSelfTestTest {
    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(16 << 20).withCapability(75));

    private KernelSelfTest.Result run(String words) {
        return KernelSelfTest.run(() -> driver.open(0), Selection.of(words), result -> {});
    }

    @Test
    void everyCaseOfTheChosenKernelsIsReplayed() {
        KernelSelfTest.Result result = run("kernel layer_norm");
        assertThat(result.cases()).isNotEmpty().allSatisfy(each -> {
            assertThat(each.kernel()).isEqualTo("layer_norm");
            assertThat(each.ok()).as(each.toString()).isTrue();
            assertThat(each.error()).isLessThanOrEqualTo(each.allowed());
            assertThat(each.message()).isNull();
        });
        assertThat(result.cases()).extracting(KernelSelfTest.Case::variant).contains("f16 x4", "f32 x4");
        assertThat(result.leftOut()).isZero();
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.record().leftovers()).isEmpty();
    }

    @Test
    void kernelsForNewerCardsAreLeftOutAndCounted() {
        KernelSelfTest.Result result = run("tensor_attention hd8 mma");
        assertThat(result.cases()).isNotEmpty();
        assertThat(result.leftOut()).isPositive();
    }

    @Test
    void everyInstructionThatTheCardHasIsComparedAndItsResultsKept() {
        KernelSelfTest.Result result = run("instruction:");
        assertThat(result.cases()).hasSizeGreaterThan(50).allSatisfy(each -> {
            assertThat(each.kernel()).isEqualTo("instruction");
            assertThat(each.ok()).as(each.toString()).isTrue();
        });
        assertThat(result.cases()).extracting(KernelSelfTest.Case::variant).contains("ex2.approx.f32").doesNotContain("cvt.rn.f16x2.f32");
        assertThat(result.vectors().fileName()).isEqualTo("sm_75.vectors");
        assertThat(result.vectors().results()).hasSameSizeAs(result.cases());
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.record().leftovers()).isEmpty();
        assertThat(run("kernel layer_norm").vectors()).isNull();
    }

    @Test
    void anInstructionThatTheDriverFailsHasNoResultsToKeep() {
        driver.record().fail(DriverCall.LAUNCH, 2, "CUDA_ERROR_ILLEGAL_ADDRESS");
        KernelSelfTest.Result result = run("instruction: sub");
        assertThat(result.cases()).filteredOn(each -> !each.ok()).singleElement().satisfies(each -> {
            assertThat(each.message()).contains("CUDA_ERROR_ILLEGAL_ADDRESS");
            assertThat(result.vectors().results()).doesNotContainKey(each.variant()).hasSize(result.cases().size() - 1);
        });
    }

    @Test
    void aCaseThatTheDriverFailsIsToldAndTheNextRunsInANewContext() {
        driver.record().fail(DriverCall.LAUNCH, 2, "CUDA_ERROR_ILLEGAL_ADDRESS");
        List<CudaContext> opened = new ArrayList<>();
        KernelSelfTest.Result result = KernelSelfTest.run(
                () -> {
                    opened.add(driver.open(0));
                    return opened.get(opened.size() - 1);
                },
                Selection.of("kernel layer_norm"),
                each -> {});
        assertThat(opened).hasSize(2);
        assertThat(result.cases()).filteredOn(each -> !each.ok()).hasSize(1).first().satisfies(each -> {
            assertThat(each.message()).contains("CUDA_ERROR_ILLEGAL_ADDRESS");
            assertThat(each.error()).isNaN();
        });
        assertThat(result.cases()).filteredOn(KernelSelfTest.Case::ok).hasSizeGreaterThan(2);
    }

    @Test
    void aCardThatDoesNotOpenIsADeviceFailure() {
        assertThat(org.assertj.core.api.Assertions.catchThrowableOfType(
                                KilnException.class,
                                () -> KernelSelfTest.run(
                                        () -> {
                                            throw new CudaException("CUDA_ERROR_NO_DEVICE", "opening");
                                        },
                                        Selection.ALL,
                                        each -> {}))
                        .category())
                .isEqualTo(KilnException.Category.DEVICE);
    }
}
