package kiln.kernels.op;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;
import kiln.kernels.Kernel;
import kiln.kernels.ReverseKernel;
import kiln.kernels.SharedMemoryLimits;
import kiln.kernels.cases.KernelLibrary;
import kiln.kernels.probe.Probes;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every variant assembles for every card that can run it, without spills and within its registers. */
class AssemblerTest {
    private static final List<Integer> CAPABILITIES = List.of(50, 61, 70, 75, 80, 86, 89, 90);
    private static final int REGISTERS_OF_A_CARD = 64 << 10;

    @BeforeAll
    static void load() throws IOException {
        PtxAssembler.load();
    }

    static Stream<Arguments> variants() {
        return Stream.concat(KernelLibrary.all().stream(), Probes.all().stream()).map(kernel -> Arguments.of(kernel.name(), kernel.variant(), kernel));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("variants")
    void assemblesWithoutSpillsWithinItsBudget(String name, String variant, Kernel kernel) {
        String ptx = kernel.ptx();
        assertThat(ptx).contains(".target " + kernel.target() + "\n");
        assertThat(kernel.registerBudget() * kernel.threads()).isLessThanOrEqualTo(REGISTERS_OF_A_CARD);
        Map<Integer, PtxAssembler.Usage> usages = new ConcurrentSkipListMap<>();
        CAPABILITIES.stream()
                .filter(capability -> kernel.target().runsOn(capability))
                .parallel()
                .forEach(capability -> usages.put(capability, PtxAssembler.assemble(ptx, capability)));
        usages.forEach((capability, usage) -> {
            String what = name + " " + variant + " on sm_" + capability + ": ";
            assertThat(usage.spillBytes()).as(what + "spilled bytes").isZero();
            assertThat(usage.registers()).as(what + "registers").isLessThanOrEqualTo(kernel.registerBudget());
            assertThat(usage.sharedBytes()).as(what + "static shared bytes").isLessThanOrEqualTo(SharedMemoryLimits.STATIC_BYTES);
            assertThat(usage.sharedBytes() + kernel.dynamicSharedBytes())
                    .as(what + "shared bytes")
                    .isLessThanOrEqualTo(SharedMemoryLimits.ofBlock(capability));
        });
    }

    @Test
    void variantsHaveNamesOfTheirOwn() {
        assertThat(KernelLibrary.all()).doesNotHaveDuplicates();
        assertThat(KernelLibrary.all().stream().map(kernel -> kernel.name() + " " + kernel.variant())).doesNotHaveDuplicates();
    }

    @Test
    void sharedMemoryThatComesWithTheLaunchAssembles() {
        assertThat(PtxAssembler.assemble(new ReverseKernel(64, 60 << 10).ptx(), 75).spillBytes()).isZero();
    }
}
