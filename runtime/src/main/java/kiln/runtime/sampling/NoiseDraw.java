package kiln.runtime.sampling;

/**
 * One of the draws that a sampler makes in a run, in the order of {@link SamplingPlan#noiseDraws}.
 *
 * @param kind which method of {@link StepNoise} it asks
 * @param sigma with {@code nextSigma}, the levels of a draw {@link Kind#BETWEEN}; else 0
 */
public record NoiseDraw(Kind kind, float sigma, float nextSigma) {
    /** The methods of {@link StepNoise}. */
    public enum Kind {
        FILL,
        SKIP,
        BETWEEN
    }
}
