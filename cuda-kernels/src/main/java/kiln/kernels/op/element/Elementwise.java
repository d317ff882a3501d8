package kiln.kernels.op.element;

import java.util.Locale;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Activation;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@code out[i] = function(a[i])} or {@code a[i] + b[i]} or {@code a[i] + b[channel]} or, where it is negative, {@code a[i] · b[channel]}.
 *
 * <p>A thread does {@code width} neighbours with one load; the count (and for functions per channel the channels) must be a
 * multiple of it. {@code out} may be an input.
 *
 * @param width 1 or 4
 */
public record Elementwise(Function function, DataType type, int width) implements Kernel {
    /** What is computed. */
    public enum Function {
        SILU(Activation.SILU),
        GELU(Activation.GELU),
        QUICK_GELU(Activation.QUICK_GELU),
        RELU(Activation.RELU),
        LEAKY_RELU(Activation.LEAKY_RELU),
        FIFTH(Activation.FIFTH),
        ADD(null),
        /** b is {@code [batch or 1, channels]}. */
        ADD_PER_CHANNEL(null),
        /** b is {@code [batch or 1, channels]}, slopes of negative values. */
        PRELU(null);

        private final Activation activation;

        Function(Activation activation) {
            this.activation = activation;
        }

        public boolean hasSecondInput() {
            return activation == null;
        }

        /** Whether b has a value for each channel. */
        public boolean isPerChannel() {
            return this == ADD_PER_CHANNEL || this == PRELU;
        }
    }

    private static final int THREADS = 256;

    public Elementwise {
        Objects.requireNonNull(function, "function");
        Objects.requireNonNull(type, "type");
        Code.requireWidth(width);
    }

    @Override
    public String name() {
        return "elementwise_" + function.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String variant() {
        return type.label() + " x" + width;
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    public KernelCall activation(long a, long out, int count) {
        require(!function.hasSecondInput());
        return call(count, a, out, count);
    }

    public KernelCall add(long a, long b, long out, int count) {
        require(function == Function.ADD);
        return call(count, a, b, out, count);
    }

    /** @param elementsPerRow of {@code a} that share a row of b: positions · channels of one batch, or all when b has one row */
    public KernelCall perChannel(long a, long b, long out, int count, int channels, int elementsPerRow) {
        require(function.isPerChannel() && channels % width == 0 && elementsPerRow % channels == 0);
        return call(count, a, b, out, count, channels, elementsPerRow);
    }

    private void require(boolean condition) {
        if (!condition) {
            throw new IllegalArgumentException(name() + " " + variant() + " does not take these arguments");
        }
    }

    private KernelCall call(int count, Object... arguments) {
        require(count % width == 0);
        return new KernelCall(this, Code.blocks(count, THREADS * width), arguments);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value a = f.parameter("a", PtxType.U64);
        Value b = function.hasSecondInput() ? f.parameter("b", PtxType.U64) : null;
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value channels = function.isPerChannel() ? f.parameter("channels", PtxType.U32) : null;
        Value elementsPerRow = function.isPerChannel() ? f.parameter("elements_per_row", PtxType.U32) : null;
        f.comment("first of this thread's elements");
        Value index = f.mul(Code.globalThread(f, THREADS), Value.of(width));
        f.when(Code.less(f, index, count), () -> {
            Value[] x = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(a, index, type.bytes()), 0);
            Value[] y = null;
            if (function == Function.ADD) {
                y = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(b, index, type.bytes()), 0);
            } else if (function.isPerChannel()) {
                f.comment("b's row and channel");
                Value row = f.compute(PtxOp.DIV, index, elementsPerRow);
                Value place = f.mad(row, channels, f.compute(PtxOp.REM, index, channels));
                y = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(b, place, type.bytes()), 0);
            }
            for (int i = 0; i < width; i++) {
                x[i] = switch (function) {
                    case ADD, ADD_PER_CHANNEL -> f.add(x[i], y[i]);
                    case PRELU -> Activation.whereNegative(f, x[i], f.mul(x[i], y[i]));
                    default -> function.activation.emit(f, x[i]);
                };
            }
            Code.storeFloats(f, Space.GLOBAL, type, f.address(out, index, type.bytes()), 0, x);
        });
        return f.moduleText();
    }

    /** @param b {@code null} for functions of one argument */
    public float[] reference(float[] a, float[] b, int channels, int elementsPerRow) {
        float[] out = new float[a.length];
        for (int i = 0; i < a.length; i++) {
            switch (function) {
                case ADD -> out[i] = a[i] + b[i];
                case ADD_PER_CHANNEL -> out[i] = a[i] + b[i / elementsPerRow * channels + i % channels];
                case PRELU -> out[i] = a[i] < 0 ? a[i] * b[i / elementsPerRow * channels + i % channels] : a[i];
                default -> out[i] = function.activation.apply(a[i]);
            }
        }
        return out;
    }
}
