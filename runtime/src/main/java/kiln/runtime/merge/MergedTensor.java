package kiln.runtime.merge;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import kiln.weights.DType;
import kiln.weights.ShortFloats;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;

/**
 * One tensor of the result and how its elements come about: {@code a·aFactor + (b − c)·bFactor}, in 64-bit arithmetic and rounded once, so that a
 * model merged with itself stays the same to the bit. Reads any range of elements; for any number of threads.
 *
 * @param info in the result
 * @param a what it is made of, with its factor; alone and with factor 1 it is stored anew at most
 * @param b {@code null} where {@code a} is alone
 * @param c {@code null} where nothing is subtracted
 * @param columns where A has more input channels than B (an inpainting model's first convolution), how the two lie; else {@code null}
 */
record MergedTensor(TensorInfo info, Source a, double aFactor, Source b, Source c, double bFactor, Columns columns) {
    /** A tensor as its file calls it. */
    record Source(WeightsFile file, TensorInfo info) {
        float[] read(long first, int count) {
            float[] values = new float[count];
            if (file.isInPlace(info.name())) {
                file.readF32Range(info.name(), first, FloatBuffer.wrap(values));
            } else {
                file.readF32(info, FloatBuffer.wrap(values));
            }
            return values;
        }
    }

    /**
     * Weights of the first input channels, of which B has all and A some more.
     *
     * @param wide elements of a row of A
     * @param narrow elements of a row of B
     */
    record Columns(int wide, int narrow) {}

    static MergedTensor copied(TensorInfo info, Source a) {
        return new MergedTensor(info, a, 1, null, null, 0, null);
    }

    private boolean isStoredAsItIs() {
        return b == null && info.dtype() == a.info().dtype();
    }

    /** Whether it can be made in parts; otherwise every part would cost the whole. */
    boolean hasParts() {
        return columns == null && isInPlace(a) && isInPlace(b) && isInPlace(c) && info.dtype().bits() % 8 == 0;
    }

    private static boolean isInPlace(Source source) {
        return source == null || source.file().isInPlace(source.info().name());
    }

    /** Elements as the result stores them; {@code first} is 0 and {@code count} all where it {@link #hasParts() has no parts}. */
    byte[] bytes(long first, int count) {
        if (isStoredAsItIs()) {
            byte[] bytes = new byte[Math.toIntExact((long) count * info.dtype().bits() / 8)];
            a.file().lend(a.info().name(), all -> all.get(Math.toIntExact(first * info.dtype().bits() / 8), bytes));
            return bytes;
        }
        float[] values = a.read(first, count);
        if (b != null) {
            int each = columns == null ? count : count / columns.wide() * columns.narrow();
            float[] other = b.read(first, each);
            float[] subtracted = c == null ? null : c.read(first, each);
            if (columns == null) {
                merge(values, 0, other, subtracted, 0, count);
            } else {
                for (int row = 0; row < count / columns.wide(); row++) {
                    merge(values, row * columns.wide(), other, subtracted, row * columns.narrow(), columns.narrow());
                }
            }
        }
        return stored(values);
    }

    private void merge(float[] values, int at, float[] other, float[] subtracted, int from, int count) {
        double left = aFactor;
        double right = bFactor;
        // Two loops: a question inside would cost as much as the rest.
        if (subtracted == null) {
            for (int i = 0; i < count; i++) {
                values[at + i] = (float) (left * values[at + i] + right * other[from + i]);
            }
        } else {
            for (int i = 0; i < count; i++) {
                values[at + i] = (float) (left * values[at + i] + right * ((double) other[from + i] - subtracted[from + i]));
            }
        }
    }

    private byte[] stored(float[] values) {
        if (info.dtype() == DType.F32) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            return bytes.array();
        }
        short[] halves = new short[values.length];
        if (info.dtype() == DType.F16) {
            ShortFloats.f32ToF16(values, 0, halves, 0, values.length);
        } else {
            ShortFloats.f32ToBf16(values, 0, halves, 0, values.length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asShortBuffer().put(halves);
        return bytes.array();
    }
}
