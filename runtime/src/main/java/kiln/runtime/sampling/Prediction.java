package kiln.runtime.sampling;

/**
 * What a network was trained to predict. As data: the clean latent is {@code skip·x + out·output} of the noisy latent and the network's
 * output, and the network's input is {@code in·x} (the preconditioning of Karras et al. 2022, table 1, for data of variance 1).
 */
public enum Prediction {
    /** The noise (k-diffusion's CompVisDenoiser). */
    EPS {
        @Override
        float skip(float sigma) {
            return 1;
        }

        @Override
        float out(float sigma) {
            return -sigma;
        }
    },
    /** The velocity between noise and latent (Salimans and Ho 2022; k-diffusion's CompVisVDenoiser). */
    V {
        @Override
        float skip(float sigma) {
            return 1 / (sigma * sigma + 1);
        }

        @Override
        float out(float sigma) {
            return (float) (-sigma / Math.sqrt(sigma * sigma + 1));
        }
    },
    /** The difference of noise and latent (rectified flow), where {@code x = (1 − sigma)·latent + sigma·noise}. */
    FLOW {
        @Override
        float in(float sigma) {
            return 1;
        }

        @Override
        float skip(float sigma) {
            return 1;
        }

        @Override
        float out(float sigma) {
            return -sigma;
        }
    };

    float in(float sigma) {
        return (float) (1 / Math.sqrt(sigma * sigma + 1));
    }

    abstract float skip(float sigma);

    abstract float out(float sigma);
}
