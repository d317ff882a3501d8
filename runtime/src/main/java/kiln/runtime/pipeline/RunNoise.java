package kiln.runtime.pipeline;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import kiln.runtime.noise.BrownianNoise;
import kiln.runtime.noise.ImageNoise;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.NoiseDraw;
import kiln.runtime.sampling.NoiseDraw.Kind;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.sampling.StepNoise;

/**
 * The random numbers of one batch: its first noise, what samplers draw in their steps, and Brownian noise where they want that.
 *
 * <p>What a step will ask for is known before (but for DPM adaptive), and is drawn while the network computes: a Brownian draw takes
 * longer than a card's step. Used by one thread.
 */
public final class RunNoise implements StepNoise {
    private final ImageNoise stream;
    private final BrownianNoise brownian;
    private final List<NoiseDraw> draws;
    private final int length;
    private int at;
    private CompletableFuture<float[]> ahead;

    public RunNoise(NoiseOptions options, long[] seeds, long[] variationSeeds, LatentShape shape, SamplingPlan plan) {
        stream = new ImageNoise(options, seeds, variationSeeds, shape);
        brownian = plan.sampler().usesBrownianNoise()
                ? new BrownianNoise(options, seeds, shape.size(), plan.noiseMin(), plan.noiseMax())
                : null;
        draws = plan.noiseDraws();
        length = seeds.length * shape.size();
    }

    /** The noise that the run begins with, to be asked for once and before all else. */
    public float[] first() {
        float[] noise = new float[length];
        stream.next(noise);
        drawAhead();
        return noise;
    }

    /** Begins with the next draw that is used; those before it that are not go with it. */
    private void drawAhead() {
        int next = at;
        while (next < draws.size() && draws.get(next).kind() == Kind.SKIP) {
            stream.skip();
            next++;
        }
        if (next < draws.size()) {
            NoiseDraw draw = draws.get(next);
            ahead = CompletableFuture.supplyAsync(() -> drawn(draw));
        }
    }

    private float[] drawn(NoiseDraw draw) {
        float[] noise = new float[length];
        if (draw.kind() == Kind.BETWEEN) {
            brownian.fill(noise, draw.sigma(), draw.nextSigma());
        } else {
            stream.next(noise);
        }
        return noise;
    }

    @Override
    public void fill(float[] target) {
        take(new NoiseDraw(Kind.FILL, 0, 0), target);
    }

    @Override
    public void fillBetween(float[] target, float sigma, float nextSigma) {
        take(new NoiseDraw(Kind.BETWEEN, sigma, nextSigma), target);
    }

    private void take(NoiseDraw draw, float[] target) {
        float[] noise;
        if (draws.isEmpty()) {
            noise = drawn(draw);
        } else {
            expect(draw);
            noise = ahead.join();
            drawAhead();
        }
        System.arraycopy(noise, 0, target, 0, length);
    }

    @Override
    public void skip(int count) {
        if (draws.isEmpty()) {
            stream.skip();
        } else {
            expect(new NoiseDraw(Kind.SKIP, 0, 0));
        }
    }

    private void expect(NoiseDraw draw) {
        if (at == draws.size() || !draws.get(at).equals(draw)) {
            throw new IllegalStateException("draw " + at + " is " + draw + ", not as planned");
        }
        at++;
    }
}
