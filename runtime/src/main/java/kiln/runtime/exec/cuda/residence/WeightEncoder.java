package kiln.runtime.exec.cuda.residence;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.stream.IntStream;
import kiln.kernels.DataType;
import kiln.kernels.HalfFloats;
import kiln.kernels.op.element.TimestepEmbedding;
import kiln.kernels.op.product.Doubling;
import kiln.kernels.op.product.QuantizedRows;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/**
 * One block of parameters on its way from the checkpoint to the card, written piece by piece, so that the pieces can go through a small
 * buffer: {@link StoredHalves} where the checkpoint has the card's format, else read whole as 32-bit floats, brought into the order that
 * kernels want and converted.
 */
final class WeightEncoder {
    /** Elements that one thread converts at a time. */
    private static final int PIECE = 1 << 16;

    private final DeviceWeight weight;
    /** {@code null} when there are {@link #values}. */
    private final StoredHalves halves;
    private final float[] values;
    private final QuantizedRows quantized;

    WeightEncoder(WeightSource source, DeviceWeight weight) {
        this.weight = weight;
        halves = StoredHalves.of(source, weight);
        values = halves == null ? ordered(source, weight) : null;
        quantized = weight.stored() == DataType.I8 ? QuantizedRows.of(values, weight.rowElements()) : null;
    }

    private static float[] ordered(WeightSource source, DeviceWeight weight) {
        switch (weight.layout()) {
            case FREQUENCIES:
                return TimestepEmbedding.frequencies(2 * weight.rows());
            case DOUBLING:
                return Doubling.packWeights(read(source, weight), weight.weight().rows(), weight.weight().shape().get(1));
            default:
                BlockOrder order = BlockOrder.of(weight);
                return order.asInFile() ? read(source, weight) : order.reordered(read(source, weight));
        }
    }

    private static float[] read(WeightSource source, DeviceWeight weight) {
        float[] values = new float[Math.toIntExact(weight.weight().elements())];
        FloatBuffer target = FloatBuffer.wrap(values);
        for (String name : weight.weight().names()) {
            int length = elements(source, name);
            source.read(name, target.slice().limit(length));
            target.position(target.position() + length);
        }
        return values;
    }

    static int elements(WeightSource source, String tensor) {
        return Math.toIntExact(source.shape(tensor).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
    }

    /** Writes the block's bytes from {@code begin} on, as many as fit; both are multiples of four unless the block ends there. */
    void write(long begin, ByteBuffer target) {
        if (halves != null) {
            halves.write(begin, target);
            return;
        }
        if (quantized == null) {
            int size = weight.stored().bytes();
            writeFloats(values, Math.toIntExact(begin / size), target, weight.stored());
            return;
        }
        int at = Math.toIntExact(begin);
        if (at < quantized.values().length) {
            target.put(quantized.values(), at, Math.min(target.remaining(), quantized.values().length - at));
            at = quantized.values().length;
        }
        int scales = Math.toIntExact(weight.scalesOffset());
        while (at < scales && target.hasRemaining()) {
            target.put((byte) 0);
            at++;
        }
        if (at >= scales) {
            writeFloats(quantized.scales(), (at - scales) / Float.BYTES, target, DataType.F32);
        }
    }

    private static void writeFloats(float[] source, int first, ByteBuffer target, DataType type) {
        int count = Math.min(source.length - first, target.remaining() / type.bytes());
        if (type == DataType.F32) {
            target.asFloatBuffer().put(source, first, count);
        } else {
            ShortBuffer halves = target.asShortBuffer();
            IntStream.range(0, (count + PIECE - 1) / PIECE).parallel().forEach(piece -> {
                int end = Math.min(count, (piece + 1) * PIECE);
                for (int i = piece * PIECE; i < end; i++) {
                    halves.put(i, HalfFloats.toHalf(source[first + i]));
                }
            });
        }
        target.position(target.position() + count * type.bytes());
    }
}
