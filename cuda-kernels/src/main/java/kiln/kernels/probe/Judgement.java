package kiln.kernels.probe;

import java.util.function.Supplier;

/**
 * What came of comparing a probe's results with plain Java.
 *
 * @param values how many results were compared
 * @param wrong how many of them are not what they have to be
 * @param error the largest of those that may differ, and what was {@code allowed} there; both 0 where all have to be equal to the bit
 * @param message the first wrong result: instruction, operands, what was found and expected; {@code null} when all is well
 */
public record Judgement(String instruction, int values, int wrong, double error, double allowed, String message) {
    public boolean ok() {
        return wrong == 0;
    }

    /** Takes results one by one. */
    static final class Builder {
        private final Probe probe;
        private final int values;
        private int wrong;
        private double error;
        private double allowed;
        private String message;

        Builder(Probe probe, int values) {
            this.probe = probe;
            this.values = values;
        }

        void add(boolean right, double newError, double newAllowed, Supplier<String> description) {
            if (!right) {
                wrong++;
                message = message == null ? description.get() : message;
            } else if (newAllowed > 0 && (allowed == 0 || newError / newAllowed > error / allowed)) {
                error = newError;
                allowed = newAllowed;
            }
        }

        Judgement build() {
            return new Judgement(probe.instruction(), values, wrong, error, allowed, message);
        }
    }
}
