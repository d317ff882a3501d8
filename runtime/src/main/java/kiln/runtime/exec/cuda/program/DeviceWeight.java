package kiln.runtime.exec.cuda.program;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.op.product.Doubling;
import kiln.runtime.graph.Weight;

/**
 * A block of parameters as kernels read it.
 *
 * @param stored the format of an element; of I8, rows of bytes, then behind them a 32-bit factor for each row
 */
public record DeviceWeight(Weight weight, Layout layout, DataType stored) {
    /** How the checkpoint's elements are ordered. */
    public enum Layout {
        /** As in the checkpoint. */
        PLAIN,
        /** {@code [out, ky, kx, in]}. */
        CONVOLUTION,
        /** {@code [parity, out, ky, kx, in]}, sums of the checkpoint's that {@link Doubling#packWeights} makes. */
        DOUBLING,
        /** Value 0, gate 0, value 1, gate 1, … */
        GEGLU,
        /** No parameter: a table of the frequencies of timesteps, 32-bit. */
        FREQUENCIES
    }

    /** Blocks and their parts begin at multiples of this. */
    public static final int ALIGNMENT = 256;

    public DeviceWeight {
        Objects.requireNonNull(weight, "weight");
        Objects.requireNonNull(layout, "layout");
        Objects.requireNonNull(stored, "stored");
    }

    /** Of so many elements and more, matrices are worth being kept in 8 bits. */
    private static final long INT8_ELEMENTS = 1 << 16;

    /** The factor of a product, in the target's format for those. */
    static DeviceWeight matrix(Weight weight, Layout layout, DeviceTarget target) {
        return new DeviceWeight(weight, layout, target.matrices() == DataType.I8 && weight.elements() < INT8_ELEMENTS ? DataType.F16 : target.matrices());
    }

    public static DeviceWeight frequencies(int channels) {
        Weight table = new Weight(List.of("frequencies of " + channels + " channels"), List.of(channels / 2));
        return new DeviceWeight(table, Layout.FREQUENCIES, DataType.F32);
    }

    public String name() {
        return weight.toString();
    }

    /** On the card. */
    public int rows() {
        return layout == Layout.DOUBLING ? Doubling.PARITIES * weight.rows() : weight.rows();
    }

    public int rowElements() {
        if (layout == Layout.DOUBLING) {
            return Doubling.TAPS * weight.shape().get(1);
        }
        return Math.toIntExact(weight.elements() / weight.rows());
    }

    /** On the card. */
    long elements() {
        return (long) rows() * rowElements();
    }

    /** Where the factors of an 8-bit block begin. */
    public long scalesOffset() {
        return align(elements());
    }

    public long bytes() {
        return stored == DataType.I8 ? scalesOffset() + (long) rows() * Float.BYTES : elements() * stored.bytes();
    }

    public static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
