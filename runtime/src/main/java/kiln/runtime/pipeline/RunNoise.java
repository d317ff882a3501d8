package kiln.runtime.pipeline;

import kiln.runtime.noise.BrownianNoise;
import kiln.runtime.noise.ImageNoise;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.sampling.StepNoise;

/** The random numbers of one batch: its first noise, what samplers draw in their steps, and Brownian noise where they want that. */
final class RunNoise implements StepNoise {
    private final ImageNoise stream;
    private final BrownianNoise brownian;

    RunNoise(NoiseOptions options, long[] seeds, long[] variationSeeds, LatentShape shape, SamplingPlan plan) {
        stream = new ImageNoise(options, seeds, variationSeeds, shape);
        brownian = plan.sampler().usesBrownianNoise()
                ? new BrownianNoise(options, seeds, shape.size(), plan.noiseMin(), plan.noiseMax())
                : null;
    }

    /** The first noise is the stream's first. */
    @Override
    public void fill(float[] target) {
        stream.next(target);
    }

    @Override
    public void skip(int count) {
        stream.skip();
    }

    @Override
    public void fillBetween(float[] target, float sigma, float nextSigma) {
        brownian.fill(target, sigma, nextSigma);
    }
}
