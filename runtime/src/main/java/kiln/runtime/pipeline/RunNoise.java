package kiln.runtime.pipeline;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
 * <p>What a step will ask for is known before (but for DPM adaptive), and is drawn while the network computes, several draws at a time: to wake
 * another thread at each step would cost a fast card's step more than all else here. Used by one thread.
 */
public final class RunNoise implements StepNoise {
    private static final int MOST_AT_ONCE = 16;
    /** 16 MB of noise. */
    private static final int MOST_NUMBERS_AT_ONCE = 1 << 22;

    /** A draw that is, or will be, made on another thread. */
    private record Promise(NoiseDraw draw, CompletableFuture<float[]> noise) {}

    private final ImageNoise stream;
    private final BrownianNoise brownian;
    private final List<NoiseDraw> draws;
    private final int length;
    private final int atOnce;
    private final Deque<CompletableFuture<float[]>> ahead = new ArrayDeque<>();
    private int at;
    private int planned;
    private CompletableFuture<Void> drawing = CompletableFuture.completedFuture(null);

    public RunNoise(NoiseOptions options, long[] seeds, long[] variationSeeds, LatentShape shape, SamplingPlan plan) {
        stream = new ImageNoise(options, seeds, variationSeeds, shape);
        brownian = plan.sampler().usesBrownianNoise()
                ? new BrownianNoise(options, seeds, shape.size(), plan.noiseMin(), plan.noiseMax())
                : null;
        draws = plan.noiseDraws();
        length = seeds.length * shape.size();
        atOnce = Math.max(1, Math.min(MOST_AT_ONCE, MOST_NUMBERS_AT_ONCE / Math.max(1, length)));
    }

    /** The noise that the run begins with, to be asked for once and before all else. */
    public float[] first() {
        float[] noise = new float[length];
        stream.next(noise);
        drawAhead();
        return noise;
    }

    /** Begins with the next draws when few are left; skipped ones go with those that they stand before. */
    private void drawAhead() {
        if (ahead.size() > atOnce / 2 || planned == draws.size()) {
            return;
        }
        List<Promise> next = new ArrayList<>();
        int used = 0;
        while (used < atOnce && planned < draws.size()) {
            Promise promise = new Promise(draws.get(planned++), new CompletableFuture<>());
            next.add(promise);
            if (promise.draw.kind() != Kind.SKIP) {
                ahead.add(promise.noise);
                used++;
            }
        }
        drawing = drawing.thenRunAsync(() -> next.forEach(this::keep));
    }

    private void keep(Promise promise) {
        try {
            if (promise.draw.kind() == Kind.SKIP) {
                stream.skip();
            } else {
                promise.noise.complete(drawn(promise.draw));
            }
        } catch (RuntimeException | Error e) {
            promise.noise.completeExceptionally(e);
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
            noise = ahead.remove().join();
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
