package kiln.kernels.cases;

import java.util.stream.Stream;
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
