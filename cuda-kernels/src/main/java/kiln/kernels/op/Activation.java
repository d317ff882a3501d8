package kiln.kernels.op;

import java.util.Locale;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/** Elementwise functions of one argument, as text and in plain Java. */
public enum Activation {
    /** x · sigmoid(x). */
    SILU {
        @Override
        public Value emit(PtxFunction f, Value x) {
            return timesSigmoid(f, x, 1);
        }

        @Override
        public float apply(float x) {
            return (float) (x / (1 + Math.exp(-x)));
        }
    },
    /** x · Φ(x), the exact GELU by erf. */
    GELU {
        @Override
        public Value emit(PtxFunction f, Value x) {
            Value half = f.mul(x, Value.of(0.5f));
            return f.mad(half, emitErf(f, f.mul(x, Value.of((float) Math.sqrt(0.5)))), half);
        }

        @Override
        public float apply(float x) {
            return (float) (0.5 * x * (1 + erf(x * Math.sqrt(0.5))));
        }
    },
    /** x · sigmoid(1.702 x), which the first CLIP uses. */
    QUICK_GELU {
        @Override
        public Value emit(PtxFunction f, Value x) {
            return timesSigmoid(f, x, QUICK_FACTOR);
        }

        @Override
        public float apply(float x) {
            return (float) (x / (1 + Math.exp(-1.702 * x)));
        }
    },
    /** x where it is positive, else 0. */
    RELU {
        @Override
        public Value emit(PtxFunction f, Value x) {
            return whereNegative(f, x, Value.of(0f));
        }

        @Override
        public float apply(float x) {
            return x < 0 ? 0 : x;
        }
    },
    /** x where it is positive, else 0.2 x. */
    LEAKY_RELU {
        @Override
        public Value emit(PtxFunction f, Value x) {
            return whereNegative(f, x, f.mul(x, Value.of(FIFTH_FACTOR)));
        }

        @Override
        public float apply(float x) {
            return x < 0 ? FIFTH_FACTOR * x : x;
        }
    },
    /** 0.2 x. */
    FIFTH {
        @Override
        public Value emit(PtxFunction f, Value x) {
            return f.mul(x, Value.of(FIFTH_FACTOR));
        }

        @Override
        public float apply(float x) {
            return FIFTH_FACTOR * x;
        }
    };

    private static final float QUICK_FACTOR = 1.702f;
    private static final float FIFTH_FACTOR = 0.2f;
    private static final double LOG2_E = 1.4426950408889634;

    public abstract Value emit(PtxFunction f, Value x);

    public abstract float apply(float x);

    /** As in variants' names. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace("_", "");
    }

    /** The other value where x is negative, x elsewhere: not-a-number stays. */
    public static Value whereNegative(PtxFunction f, Value x, Value other) {
        return f.select(PtxType.F32, f.compare(Comparison.LESS, x, Value.of(0f)), other, x);
    }

    static Value timesSigmoid(PtxFunction f, Value x, float factor) {
        // exp(-x) overflows to infinity for very negative x; its reciprocal is then 0, as it should be.
        Value exp = f.compute(PtxOp.EXP2, f.mul(x, Value.of((float) (-factor * LOG2_E))));
        return f.mul(x, f.compute(PtxOp.RECIPROCAL, f.add(exp, Value.of(1f))));
    }

    /** Abramowitz and Stegun 7.1.26: absolute error 1.5e-7. */
    private static final float[] ERF = {0.254829592f, -0.284496736f, 1.421413741f, -1.453152027f, 1.061405429f};

    private static final float ERF_P = 0.3275911f;

    static Value emitErf(PtxFunction f, Value x) {
        Value magnitude = f.compute(PtxOp.ABS, x);
        Value t = f.compute(PtxOp.RECIPROCAL, f.mad(magnitude, Value.of(ERF_P), Value.of(1f)));
        Value sum = f.move(Value.of(ERF[ERF.length - 1]));
        for (int i = ERF.length - 2; i >= 0; i--) {
            sum = f.mad(sum, t, Value.of(ERF[i]));
        }
        Value exp = f.compute(PtxOp.EXP2, f.mul(f.mul(magnitude, magnitude), Value.of((float) -LOG2_E)));
        Value negated = f.mul(f.mul(sum, t), f.compute(PtxOp.NEG, exp));
        Value positive = f.add(negated, Value.of(1f));
        return f.select(PtxType.F32, f.compare(Comparison.LESS, x, Value.of(0f)), f.compute(PtxOp.NEG, positive), positive);
    }

    /** By the series for small and the continued fraction for large arguments, in doubles: the oracle of the formula above. */
    static double erf(double x) {
        double a = Math.abs(x);
        double value;
        if (a < 2.5) {
            double term = a;
            double sum = a;
            for (int n = 1; n < 60; n++) {
                term *= -a * a / n;
                sum += term / (2 * n + 1);
            }
            value = 2 / Math.sqrt(Math.PI) * sum;
        } else {
            double fraction = 0;
            for (int n = 60; n >= 1; n--) {
                fraction = n / 2.0 / (a + fraction);
            }
            value = 1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction);
        }
        return Math.copySign(value, x);
    }
}
