package kiln.runtime.exec.cuda;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import kiln.kernels.DataType;
import kiln.kernels.HalfFloats;
import kiln.kernels.op.TimestepEmbedding;
import kiln.runtime.exec.WeightSource;

/**
 * One block of parameters on its way from the checkpoint to the card: read whole, then written piece by piece in the order that kernels
 * want, so that the pieces can go through a small buffer.
 */
final class WeightEncoder {
    private final DeviceWeight weight;
    private final float[] values;
    private final int taps;
    private final int inChannels;

    WeightEncoder(WeightSource source, DeviceWeight weight) {
        this.weight = weight;
        int elements = Math.toIntExact(weight.weight().elements());
        if (weight.layout() == DeviceWeight.Layout.FREQUENCIES) {
            values = TimestepEmbedding.frequencies(2 * elements);
        } else {
            values = new float[elements];
            FloatBuffer target = FloatBuffer.wrap(values);
            for (String name : weight.weight().names()) {
                int length = Math.toIntExact(source.shape(name).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
                source.read(name, target.slice().limit(length));
                target.position(target.position() + length);
            }
        }
        boolean convolution = weight.layout() == DeviceWeight.Layout.CONVOLUTION;
        taps = convolution ? weight.weight().shape().get(2) * weight.weight().shape().get(3) : 1;
        inChannels = convolution ? weight.weight().shape().get(1) : 1;
    }

    /** Writes the block's bytes from {@code begin} on, as many as fit; both are multiples of four unless the block ends there. */
    void write(long begin, ByteBuffer target) {
        int size = weight.type().bytes();
        int first = Math.toIntExact(begin / size);
        int count = Math.min(values.length - first, target.remaining() / size);
        if (weight.type() == DataType.F16) {
            for (int i = first; i < first + count; i++) {
                target.putShort(HalfFloats.toHalf(values[source(i)]));
            }
        } else {
            for (int i = first; i < first + count; i++) {
                target.putFloat(values[source(i)]);
            }
        }
    }

    /** Which of the checkpoint's elements stands at a place of the block. */
    private int source(int index) {
        return switch (weight.layout()) {
            case PLAIN, FREQUENCIES -> index;
            case CONVOLUTION -> {
                int channel = index % inChannels;
                int tap = index / inChannels % taps;
                int row = index / (inChannels * taps);
                yield (row * inChannels + channel) * taps + tap;
            }
            case GEGLU -> {
                int length = weight.rowElements();
                int row = index / length;
                yield (row / 2 + row % 2 * (weight.rows() / 2)) * length + index % length;
            }
        };
    }
}
