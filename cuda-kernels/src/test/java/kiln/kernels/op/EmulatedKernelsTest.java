package kiln.kernels.op;

import java.util.stream.Stream;
import kiln.kernels.cases.KernelCase;
import kiln.kernels.cases.KernelCases;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every variant's text, run by the emulator with all its checks, against the plain-Java reference. */
class EmulatedKernelsTest {
    private static final EmulatedCases CASES = new EmulatedCases();

    static Stream<KernelCase> cases() {
        return KernelCases.all().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsItsReference(KernelCase kernelCase) {
        CASES.assertEqualsReference(kernelCase);
    }
}
