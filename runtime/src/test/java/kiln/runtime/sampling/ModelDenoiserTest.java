package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelDenoiserTest {
    private static final float[] LATENT = {0.5f, -1, 2};
    private static final float[] NOISE = {1, -0.5f, 0.1f};
    private final ModelSampling sampling = ModelSampling.sd1();

    /** A network that sees through the noise of {@link #NOISE} and says what it was trained to say. */
    private ModelDenoiser knowing(Prediction prediction) {
        return new ModelDenoiser((input, timestep, level) -> {
            double sigma = sampling.sigma(timestep);
            double signal = 1 / Math.sqrt(sigma * sigma + 1);
            float[] output = new float[LATENT.length];
            for (int i = 0; i < output.length; i++) {
                output[i] = switch (prediction) {
                    case EPS -> NOISE[i];
                    case V -> (float) (signal * NOISE[i] - sigma * signal * LATENT[i]);
                    case FLOW -> NOISE[i] - LATENT[i];
                };
            }
            return GuidedOutput.of(output);
        }, sampling, prediction);
    }

    @ParameterizedTest
    @EnumSource
    void whateverTheNetworkPredictsTheCleanLatentIsFound(Prediction prediction) {
        for (float sigma : new float[] {0.05f, 0.9f, 7}) {
            float[] x = new float[LATENT.length];
            for (int i = 0; i < x.length; i++) {
                x[i] = (prediction == Prediction.FLOW ? 1 - sigma : 1) * LATENT[i] + sigma * NOISE[i];
            }
            float[] denoised = knowing(prediction).denoise(x, sigma);
            for (int i = 0; i < x.length; i++) {
                // The level passes through the table's timesteps, which keep five digits.
                assertThat(denoised[i]).isCloseTo(LATENT[i], within(2e-4f * (1 + sigma)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"EPS", "V"})
    void theNoiseAtATimestepIsFound(Prediction prediction) {
        int timestep = 431;
        float a = sampling.alphaCumprod(timestep);
        float[] x = new float[LATENT.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) (Math.sqrt(a) * LATENT[i] + Math.sqrt(1 - a) * NOISE[i]);
        }
        assertThat(knowing(prediction).eps(x, timestep).guided()).containsExactly(NOISE, within(1e-5f));
    }

    @Test
    void flowModelsAreNoMatchForTimesteps() {
        assertThatThrownBy(() -> knowing(Prediction.FLOW).eps(LATENT, 5)).isInstanceOf(KilnException.class).hasMessageContaining("flow");
    }
}
