package kiln.kernels.op;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import kiln.kernels.KernelCall;
import kiln.kernels.cases.KernelCase;

/** What every runner of cases does: addresses for symbols before, comparing after. */
final class CaseResults {
    private CaseResults() {}

    /** @param addresses of the case's buffers, in their order */
    static List<Object> bind(KernelCall call, long[] addresses) {
        return call.arguments().stream()
                .map(argument -> argument instanceof Long symbol
                        ? (Object) (addresses[KernelCase.bufferOf(symbol)] + KernelCase.offsetOf(symbol))
                        : argument)
                .toList();
    }

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
