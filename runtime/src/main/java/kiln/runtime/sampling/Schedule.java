package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kiln.runtime.base.KilnException;

/**
 * How the noise levels of a run are spaced: A1111's schedule types, in its order.
 *
 * <p>A schedule gives the levels from the first to the last; most end with 0. {@link #DDIM} has a number of its own.
 */
public enum Schedule {
    /** The sampler's own default. */
    AUTOMATIC("Automatic", "automatic") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            throw new IllegalStateException("automatic stands for a sampler's default schedule");
        }
    },
    /** Timesteps evenly spaced from the last to the first. */
    UNIFORM("Uniform", "uniform") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            return atTimesteps(linspace(model.timestepAt(model.timesteps() - 1), model.timestepAt(0), steps), steps, model);
        }
    },
    /** Karras et al. 2022, equation 5. */
    KARRAS("Karras", "karras", "ka") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            return karras(steps, options.min(model), options.max(model), options.rho(KARRAS_RHO));
        }
    },
    /** Evenly spaced logarithms. */
    EXPONENTIAL("Exponential", "exponential") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            float[] logs = linspace((float) Math.log(options.max(model)), (float) Math.log(options.min(model)), steps);
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                sigmas[i] = (float) Math.exp(logs[i]);
            }
            return sigmas;
        }
    },
    /** Logarithms along a power of a ramp; the usual power, 1, makes it {@link #EXPONENTIAL}. */
    POLYEXPONENTIAL("Polyexponential", "polyexponential") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            float rho = options.rho(1);
            if (rho == 1) {
                return EXPONENTIAL.levels(steps, model, options);
            }
            float least = (float) Math.log(options.min(model));
            float range = (float) (Math.log(options.max(model)) - Math.log(options.min(model)));
            float[] ramp = linspace(1, 0, steps);
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                sigmas[i] = (float) Math.exp((float) Math.pow(ramp[i], rho) * range + least);
            }
            return sigmas;
        }
    },
    /** Timesteps evenly spaced, the lowest left out. */
    SGM_UNIFORM("SGM Uniform", "sgm_uniform", "SGMUniform") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            float first = model.timestep(options.max(model));
            float last = model.timestep(options.min(model));
            return atTimesteps(linspace(first, last, steps + 1), steps, model);
        }
    },
    /** Evenly spaced angles whose tangents are the levels; ends at the model's least sigma, not at 0. */
    KL_OPTIMAL("KL Optimal", "kl_optimal") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            float least = (float) Math.atan(options.min(model));
            float most = (float) Math.atan(options.max(model));
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i <= steps; i++) {
                float part = (float) i / steps;
                sigmas[i] = (float) Math.tan(part * least + (1 - part) * most);
            }
            return sigmas;
        }
    },
    /** Levels tuned for a family of models, interpolated in their logarithms to the number asked for. */
    ALIGN_YOUR_STEPS("Align Your Steps", "align_your_steps") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            double[] aligned = model.alignedSigmas();
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                // One step starts from the lowest level, as A1111 has it.
                double at = steps == 1 ? aligned.length - 1 : (double) i * (aligned.length - 1) / (steps - 1);
                int low = Math.min((int) at, aligned.length - 2);
                double weight = at - low;
                sigmas[i] = i == 0 && steps > 1
                        ? (float) aligned[0]
                        : (float) Math.exp((1 - weight) * Math.log(aligned[low]) + weight * Math.log(aligned[low + 1]));
            }
            return sigmas;
        }
    },
    /** Every so many entries of the model's table, from the top. */
    SIMPLE("Simple", "simple") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            double stride = (double) model.timesteps() / steps;
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                sigmas[i] = model.sigmaAt(model.timesteps() - 1 - (int) (i * stride));
            }
            return sigmas;
        }
    },
    /** Timesteps evenly spaced between those of the highest and the lowest sigma. */
    NORMAL("Normal", "normal") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            float first = model.timestep(options.max(model));
            float last = model.timestep(options.min(model));
            return atTimesteps(linspace(first, last, steps), steps, model);
        }
    },
    /** The entries 1, 1 + s, 1 + 2s… of the model's table, s = 1000 / steps rounded down: mostly more levels than asked for. */
    DDIM("DDIM", "ddim") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            int stride = Math.max(model.timesteps() / steps, 1);
            int count = (model.timesteps() - 2) / stride + 1;
            float[] sigmas = new float[count + 1];
            for (int i = 0; i < count; i++) {
                sigmas[i] = model.sigmaAt(1 + (count - 1 - i) * stride);
            }
            return sigmas;
        }
    },
    /** Levels at the quantiles of a beta distribution, dense at both ends (Lee et al. 2024). */
    BETA("Beta", "beta") {
        @Override
        float[] levels(int steps, ModelSampling model, LevelOptions options) {
            BetaDistribution distribution = new BetaDistribution(options.betaAlpha(), options.betaBeta());
            double least = options.min(model);
            double range = options.max(model) - least;
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                double part = steps == 1 ? 1 : 1 - (double) i / (steps - 1);
                sigmas[i] = (float) (least + distribution.quantile(part) * range);
            }
            return sigmas;
        }
    };

    /** The power that Karras et al. found best. */
    static final float KARRAS_RHO = 7;

    private final String label;
    private final List<String> names;

    Schedule(String label, String... names) {
        this.label = label;
        this.names = List.of(names);
    }

    abstract float[] levels(int steps, ModelSampling model, LevelOptions options);

    /** The noise levels from first to last: {@code steps + 1} of them, except with {@link #DDIM}; for no steps only the level 0. */
    float[] sigmas(int steps, ModelSampling model, LevelOptions options) {
        return steps == 0 ? new float[1] : levels(steps, options.quantize() ? model.quantized() : model, options);
    }

    /** As people read it, "SGM Uniform". */
    public String label() {
        return label;
    }

    /** As settings and old files have it, "sgm_uniform". */
    public String id() {
        return names.get(0);
    }

    /** Label and other names. */
    List<String> allNames() {
        List<String> all = new ArrayList<>(names);
        all.add(label);
        return all;
    }

    /** How a sampler's name in an older picture may end, in the order in which A1111 tries them: label, id, other spellings. */
    List<String> namesInOldPictures() {
        return this == SGM_UNIFORM ? List.of(label, id(), "SGMUniform") : List.of(label, id());
    }

    /**
     * The schedule of that label or name, however it is spelt: case, blanks and marks do not count.
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none; the message names the nearest
     */
    public static Schedule find(String name) {
        String folded = Names.fold(name);
        for (Schedule schedule : values()) {
            if (schedule.allNames().stream().anyMatch(known -> Names.fold(known).equals(folded))) {
                return schedule;
            }
        }
        List<String> labels = Arrays.stream(values()).map(Schedule::label).toList();
        throw KilnException.badRequest("no schedule is called " + Names.quoted(name) + ": try " + Names.nearest(name, labels));
    }

    static float[] karras(int steps, float sigmaMin, float sigmaMax, float rho) {
        float least = (float) Math.pow(sigmaMin, 1 / rho);
        float most = (float) Math.pow(sigmaMax, 1 / rho);
        float[] ramp = linspace(0, 1, steps);
        float[] sigmas = new float[steps + 1];
        for (int i = 0; i < steps; i++) {
            sigmas[i] = (float) Math.pow(most + ramp[i] * (least - most), rho);
        }
        return sigmas;
    }

    /** The levels of the first {@code steps} of these timesteps, and 0. */
    private static float[] atTimesteps(float[] timesteps, int steps, ModelSampling model) {
        float[] sigmas = new float[steps + 1];
        for (int i = 0; i < steps; i++) {
            sigmas[i] = model.sigma(timesteps[i]);
        }
        return sigmas;
    }

    /** torch.linspace in float32: built from both ends, and just {@code first} when one value is asked for. */
    static float[] linspace(float first, float last, int count) {
        float[] values = new float[count];
        float step = count > 1 ? (last - first) / (count - 1) : 0;
        for (int i = 0; i < count; i++) {
            values[i] = i < count / 2 || count == 1 ? first + step * i : last - step * (count - 1 - i);
        }
        return values;
    }
}
