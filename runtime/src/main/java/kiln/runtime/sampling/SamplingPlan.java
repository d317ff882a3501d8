package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.sampling.Sampler.Trait;

/**
 * A run of a sampler before it happens: its levels or timesteps, where it begins, how often it calls its network. Immutable; any number
 * of batches can be drawn by it.
 *
 * <p>Latents are {@code [batch, channels, h, w]} in the sampler's scale. A run belongs to the calling thread.
 */
public final class SamplingPlan {
    public static final int MAX_STEPS = 1000;

    private final SamplerChoice choice;
    private final SamplerOptions options;
    private final ModelSampling sampling;
    private final int steps;
    private final ImageStart start;
    private final float[] sigmas;
    private final int[] timesteps;
    private final int from;

    private SamplingPlan(SamplerChoice choice, int steps, SamplerOptions options, ModelSampling sampling, ImageStart start) {
        this.choice = Objects.requireNonNull(choice, "choice");
        this.options = Objects.requireNonNull(options, "options");
        this.sampling = Objects.requireNonNull(sampling, "sampling");
        this.start = start;
        if (steps < 1 || steps > MAX_STEPS) {
            throw KilnException.badRequest("steps " + steps + " is outside 1 to " + MAX_STEPS);
        }
        int scheduleSteps = start == null ? steps : start.scheduleSteps(steps);
        this.steps = start == null ? steps : start.encodedSteps(steps) + 1;
        boolean discards = options.levels().discardNextToLast() || choice.sampler().has(Trait.DISCARDS_PENULTIMATE);
        int levelSteps = scheduleSteps + (discards ? 1 : 0);
        if (choice.sampler().usesTimesteps()) {
            sigmas = new float[0];
            timesteps = scheduleSteps == 0 ? new int[0] : timesteps(levelSteps, sampling);
            from = start == null ? timesteps.length - 1 : Math.min(this.steps - 1, timesteps.length - 1);
        } else {
            timesteps = new int[0];
            ModelSampling table = choice.sampler().has(Trait.LCM_TABLE) ? sampling.lcm() : sampling;
            options.levels().check(table);
            float[] all = choice.resolvedSchedule().sigmas(scheduleSteps == 0 ? 0 : levelSteps, table, options.levels());
            sigmas = discards && all.length > 1 ? withoutPenultimate(all) : all;
            int first = start == null ? 0 : scheduleSteps - this.steps;
            // Counted from the end where a schedule has fewer levels than steps, as A1111's slices do.
            from = Math.min(first < 0 ? Math.max(0, sigmas.length + first) : first, sigmas.length - 1);
        }
    }

    /** A run from noise alone. @param steps 1 to {@link #MAX_STEPS} */
    public static SamplingPlan fromNoise(SamplerChoice choice, int steps, SamplerOptions options, ModelSampling sampling) {
        return new SamplingPlan(choice, steps, options, sampling, null);
    }

    /** A run from a picture's latent and noise. @param steps what the request says, 1 to {@link #MAX_STEPS} */
    public static SamplingPlan fromLatent(
            SamplerChoice choice, int steps, SamplerOptions options, ModelSampling sampling, ImageStart start) {
        return new SamplingPlan(choice, steps, options, sampling, Objects.requireNonNull(start, "start"));
    }

    private static float[] withoutPenultimate(float[] all) {
        float[] shorter = Arrays.copyOf(all, all.length - 1);
        shorter[shorter.length - 1] = all[all.length - 1];
        return shorter;
    }

    /** A1111's list of timesteps, rising; a run walks it from its end, and the lowest is only arrived at. */
    private static int[] timesteps(int steps, ModelSampling sampling) {
        int last = sampling.timesteps() - 1;
        int stride = Math.max(sampling.timesteps() / steps, 1);
        int[] timesteps = new int[(last + stride) / stride];
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = Math.min(i * stride + 1, last);
        }
        return timesteps;
    }

    public Sampler sampler() {
        return choice.sampler();
    }

    SamplerOptions options() {
        return options;
    }

    double eta() {
        return options.eta(choice.sampler());
    }

    boolean startsFromLatent() {
        return start != null;
    }

    /** All noise levels of the schedule, falling, the last (mostly 0) included; empty for a sampler over timesteps. */
    public float[] sigmas() {
        return sigmas.clone();
    }

    /** All timesteps of the list, rising; empty for a sampler over levels. */
    public int[] timesteps() {
        return timesteps.clone();
    }

    /** Which of the levels or timesteps the run begins at: 0 or the list's end from noise, a later one or an earlier from a latent. */
    public int firstIndex() {
        return from;
    }

    /** Without levels that a high rho makes the same as the one before: samplers divide by a step's length. */
    float[] walkedSigmas() {
        float[] walked = new float[sigmas.length - from];
        int count = 0;
        for (int i = from; i < sigmas.length; i++) {
            if (count == 0 || sigmas[i] != walked[count - 1]) {
                walked[count++] = sigmas[i];
            }
        }
        return Arrays.copyOf(walked, count);
    }

    /** From a latent one timestep is only the level of the first noise, and the walk begins below it. */
    int[] walkedTimesteps() {
        return start == null ? timesteps : Arrays.copyOf(timesteps, Math.max(0, from));
    }

    /** Highest level of a sampler that finds its own. */
    float rangeMax() {
        return start == null ? sampling.sigmaMax() : sigmas[from];
    }

    /** Lowest level of a sampler that finds its own. */
    float rangeMin() {
        return start == null ? sampling.sigmaMin() : sigmas[Math.max(from, sigmas.length - 2)];
    }

    int rangeCalls() {
        return start == null ? steps : sigmas.length - 1 - from;
    }

    /** Lowest level above 0 of the whole schedule; with {@link #noiseMax} what Brownian noise is drawn over. */
    public float noiseMin() {
        float least = noiseMax();
        for (float sigma : sigmas) {
            if (sigma > 0) {
                least = Math.min(least, sigma);
            }
        }
        return least;
    }

    /** Highest level of the whole schedule, also where a run begins below it; 0 for samplers over timesteps. */
    public float noiseMax() {
        float most = 0;
        for (float sigma : sigmas) {
            most = Math.max(most, sigma);
        }
        return most;
    }

    /** How many calls A1111 plans; changing prompts and {@link Guidance} go by it, whatever the number really is. */
    public int expectedCalls() {
        return steps * choice.sampler().callsPerStep();
    }

    /**
     * How many times a run calls its network; a usual number for DPM adaptive, where it depends on the picture. It may be 0: so few
     * DDIM steps, or so low a strength, that the start is left as it is.
     */
    public int networkCalls() {
        if (choice.sampler() == Sampler.DPM_ADAPTIVE) {
            return walkedSigmas().length > 1 ? DpmSolver.USUAL_ADAPTIVE_CALLS : 0;
        }
        int[] calls = {0};
        rehearse(calls, new Record());
        return calls[0];
    }

    /** The draws that a run makes after its first noise; none with DPM adaptive, where they depend on the picture. */
    public List<NoiseDraw> noiseDraws() {
        Record record = new Record();
        if (choice.sampler() != Sampler.DPM_ADAPTIVE) {
            rehearse(new int[1], record);
        }
        return record.draws;
    }

    /** Runs a network that says nothing on a latent of one number. */
    private void rehearse(int[] calls, Record record) {
        GuidedNetwork network = (input, timestep, level) -> {
            calls[0]++;
            return GuidedOutput.of(new float[input.length]);
        };
        run(new float[1], new ModelDenoiser(network, sampling, Prediction.EPS), record, (step, of, sigma, denoised) -> {});
    }

    /** What a run from noise begins with. @param noise standard normals; not written to */
    public float[] start(float[] noise) {
        if (start != null) {
            throw new IllegalStateException("this run begins from a latent");
        }
        if (choice.sampler().usesTimesteps()) {
            return noise.clone();
        }
        float first = sigmas[0];
        float scale = options.sgmNoiseMultiplier() ? (float) Math.sqrt(1 + (double) first * first) : first;
        float[] x = new float[noise.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = noise[i] * scale;
        }
        return x;
    }

    /** What a run from a latent begins with. Neither array is written to. */
    public float[] start(float[] latent, float[] noise) {
        if (start == null) {
            throw new IllegalStateException("this run begins from noise");
        }
        if (latent.length != noise.length) {
            throw new IllegalArgumentException("latent of " + latent.length + " numbers, noise of " + noise.length);
        }
        float keep = 1;
        float add = 0;
        if (!choice.sampler().usesTimesteps()) {
            add = sigmas[from];
        } else if (from >= 0) {
            float a = sampling.alphaCumprod(timesteps[from]);
            keep = (float) Math.sqrt(a);
            add = (float) Math.sqrt(1 - a);
        }
        float multiplier = (float) start.noiseMultiplier();
        float extra = (float) start.extraNoise() * keep;
        float[] x = new float[latent.length];
        for (int i = 0; i < x.length; i++) {
            float scaled = noise[i] * multiplier;
            x[i] = latent[i] * keep + scaled * add;
            if (extra != 0) {
                x[i] += scaled * extra;
            }
        }
        return x;
    }

    /**
     * Draws a batch.
     *
     * @param x from {@link #start}, changed into the finished latents
     * @param model over the same noise levels as the plan
     * @param noise not touched by samplers that draw none
     * @return {@code x}
     */
    public float[] run(float[] x, ModelDenoiser model, StepNoise noise, StepListener listener) {
        Denoiser denoiser = model;
        if (choice.sampler().has(Trait.LCM_TABLE)) {
            denoiser = model.lcm();
        } else if (options.levels().quantize()) {
            denoiser = model.quantized();
        }
        choice.sampler().walk().walk(new SamplerRun(this, model, denoiser, noise, listener), x);
        return x;
    }

    /** Silence that writes down what it is asked for. */
    private static final class Record implements StepNoise {
        private final List<NoiseDraw> draws = new ArrayList<>();

        @Override
        public void fill(float[] target) {
            draws.add(new NoiseDraw(NoiseDraw.Kind.FILL, 0, 0));
            Arrays.fill(target, 0);
        }

        @Override
        public void skip(int count) {
            draws.add(new NoiseDraw(NoiseDraw.Kind.SKIP, 0, 0));
        }

        @Override
        public void fillBetween(float[] target, float sigma, float nextSigma) {
            draws.add(new NoiseDraw(NoiseDraw.Kind.BETWEEN, sigma, nextSigma));
            Arrays.fill(target, 0);
        }
    }
}
