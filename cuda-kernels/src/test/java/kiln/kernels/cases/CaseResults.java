package kiln.kernels.cases;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares what a case's buffers hold with what they should. */
final class CaseResults {
    private CaseResults() {}

    static void assertAccepted(KernelCase kernelCase, KernelCase.Buffer buffer, byte[] bytes) {
        float[] actual = buffer.type().decode(bytes);
        for (int i = 0; i < actual.length; i++) {
            float expected = buffer.expected()[i];
            assertThat(kernelCase.accepts(expected, actual[i]))
                    .as("%s: %s[%d] is %s, expected %s", kernelCase, buffer.name(), i, actual[i], expected)
                    .isTrue();
        }
    }
}
