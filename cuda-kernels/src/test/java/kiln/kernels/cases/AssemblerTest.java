package kiln.kernels.cases;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import kiln.kernels.Kernel;
import kiln.kernels.ReverseKernel;
import kiln.kernels.probe.Probes;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every variant assembles for every card that can run it, without spills and within its registers. */
class AssemblerTest {
    private static final List<Integer> CAPABILITIES = List.of(50, 61, 70, 75, 80, 86, 89, 90);

    private static AssembledKernels assembled;

    @BeforeAll
    static void assemble() throws IOException {
        List<Kernel> kernels = Stream.concat(KernelLibrary.all().stream(), Probes.all().stream()).toList();
        assembled = AssembledKernels.of(kernels, AssemblerTest::capabilities, AssemblerTest.class, "assembled.txt");
    }

    private static List<Integer> capabilities(Kernel kernel) {
        return CAPABILITIES.stream().filter(capability -> kernel.target().runsOn(capability)).toList();
    }

    static Stream<Arguments> variants() {
        return Stream.concat(KernelLibrary.all().stream(), Probes.all().stream())
                .map(kernel -> Arguments.of(kernel.name(), kernel.variant(), kernel));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("variants")
    void assemblesWithoutSpillsWithinItsBudget(String name, String variant, Kernel kernel) {
        assertThat(kernel.ptx()).contains(".target " + kernel.target() + "\n");
        assertThat(assembled.faults(kernel)).isEmpty();
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
