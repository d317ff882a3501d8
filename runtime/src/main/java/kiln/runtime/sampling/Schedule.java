package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kiln.runtime.base.KilnException;

/**
 * How the noise levels of a run are spaced: A1111's schedule types that are closed formulas.
 *
 * <p>A schedule gives the levels from the first to the last; most end with 0. {@link #DDIM} has a number of its own.
 */
public enum Schedule {
    /** The sampler's own default. */
    AUTOMATIC("Automatic", "automatic") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            throw new IllegalStateException("automatic stands for a sampler's default schedule");
        }
    },
    /** Timesteps evenly spaced from the last to the first. */
    UNIFORM("Uniform", "uniform") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            return atTimesteps(linspace(model.timesteps() - 1, 0, steps), steps, model);
        }
    },
    /** Karras et al. 2022, equation 5, with rho 7. */
    KARRAS("Karras", "karras") {
        private static final float RHO = 7;

        @Override
        float[] sigmas(int steps, ModelSampling model) {
            float least = (float) Math.pow(model.sigmaMin(), 1 / RHO);
            float most = (float) Math.pow(model.sigmaMax(), 1 / RHO);
            float[] ramp = linspace(0, 1, steps);
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                sigmas[i] = (float) Math.pow(most + ramp[i] * (least - most), RHO);
            }
            return sigmas;
        }
    },
    /** Evenly spaced logarithms. */
    EXPONENTIAL("Exponential", "exponential") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            float[] logs = linspace((float) Math.log(model.sigmaMax()), (float) Math.log(model.sigmaMin()), steps);
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i < steps; i++) {
                sigmas[i] = (float) Math.exp(logs[i]);
            }
            return sigmas;
        }
    },
    /** Logarithms along a power of a ramp; the power A1111 uses by default, 1, makes it {@link #EXPONENTIAL}. */
    POLYEXPONENTIAL("Polyexponential", "polyexponential") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            return EXPONENTIAL.sigmas(steps, model);
        }
    },
    /** Timesteps evenly spaced, the lowest left out. */
    SGM_UNIFORM("SGM Uniform", "sgm_uniform", "SGMUniform") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            float first = model.timestep(model.sigmaMax());
            float last = model.timestep(model.sigmaMin());
            return atTimesteps(linspace(first, last, steps + 1), steps, model);
        }
    },
    /** Evenly spaced angles whose tangents are the levels; ends at the model's least sigma, not at 0. */
    KL_OPTIMAL("KL Optimal", "kl_optimal") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            float least = (float) Math.atan(model.sigmaMin());
            float most = (float) Math.atan(model.sigmaMax());
            float[] sigmas = new float[steps + 1];
            for (int i = 0; i <= steps; i++) {
                float part = (float) i / steps;
                sigmas[i] = (float) Math.tan(part * least + (1 - part) * most);
            }
            return sigmas;
        }
    },
    /** Eleven levels tuned for SD 1.x, interpolated in their logarithms to the number asked for. */
    ALIGN_YOUR_STEPS("Align Your Steps", "align_your_steps") {
        private static final double[] SD1 = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};

        @Override
        float[] sigmas(int steps, ModelSampling model) {
            float[] sigmas = new float[steps + 1];
            // One step starts from the highest level; A1111's interpolation would start it from the lowest, which draws nothing.
            sigmas[0] = (float) SD1[0];
            for (int i = 1; i < steps; i++) {
                double at = (double) i * (SD1.length - 1) / (steps - 1);
                int low = Math.min((int) at, SD1.length - 2);
                double weight = at - low;
                sigmas[i] = (float) Math.exp((1 - weight) * Math.log(SD1[low]) + weight * Math.log(SD1[low + 1]));
            }
            return sigmas;
        }
    },
    /** Every so many entries of the model's table, from the top. */
    SIMPLE("Simple", "simple") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
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
        float[] sigmas(int steps, ModelSampling model) {
            float first = model.timestep(model.sigmaMax());
            float last = model.timestep(model.sigmaMin());
            return atTimesteps(linspace(first, last, steps), steps, model);
        }
    },
    /** The entries 1, 1 + s, 1 + 2s… of the model's table, s = 1000 / steps rounded down: mostly more levels than asked for. */
    DDIM("DDIM", "ddim") {
        @Override
        float[] sigmas(int steps, ModelSampling model) {
            int stride = Math.max(model.timesteps() / steps, 1);
            int count = (model.timesteps() - 2) / stride + 1;
            float[] sigmas = new float[count + 1];
            for (int i = 0; i < count; i++) {
                sigmas[i] = model.sigmaAt(1 + (count - 1 - i) * stride);
            }
            return sigmas;
        }
    };

    private final String label;
    private final List<String> names;

    Schedule(String label, String... names) {
        this.label = label;
        this.names = List.of(names);
    }

    /** The noise levels from first to last: {@code steps + 1} of them, except with {@link #DDIM}. */
    abstract float[] sigmas(int steps, ModelSampling model);

    /** As people read it, "SGM Uniform". */
    public String label() {
        return label;
    }

    /** As settings and old files have it, "sgm_uniform". */
    public String id() {
        return names.get(0);
    }

    /** Whether {@code name} is this schedule's label or one of its other names, in any case. */
    boolean isCalled(String name) {
        String folded = Names.fold(name);
        return Names.fold(label).equals(folded) || names.stream().anyMatch(other -> Names.fold(other).equals(folded));
    }

    /** Label and other names. */
    List<String> allNames() {
        List<String> all = new ArrayList<>(names);
        all.add(label);
        return all;
    }

    /**
     * The schedule of that label or name, in any case.
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none; the message names the nearest
     */
    public static Schedule find(String name) {
        for (Schedule schedule : values()) {
            if (schedule.isCalled(name)) {
                return schedule;
            }
        }
        List<String> labels = Arrays.stream(values()).map(Schedule::label).toList();
        throw KilnException.badRequest("no schedule is called " + Names.quoted(name) + ": try " + Names.nearest(name, labels));
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
    private static float[] linspace(float first, float last, int count) {
        float[] values = new float[count];
        float step = count > 1 ? (last - first) / (count - 1) : 0;
        for (int i = 0; i < count; i++) {
            values[i] = i < count / 2 || count == 1 ? first + step * i : last - step * (count - 1 - i);
        }
        return values;
    }
}
