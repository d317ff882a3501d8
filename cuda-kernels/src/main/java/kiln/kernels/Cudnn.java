package kiln.kernels;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * NVIDIA's cuDNN on one {@link CudaContext}, which opens it: convolutions as {@link kiln.kernels.op.product.Convolution} defines them, with nothing
 * behind them. One algorithm for all, which sums in the same order each time.
 *
 * <p>Threads as for the context. Whoever opened it closes it, before the context.
 */
public interface Cudnn extends AutoCloseable {
    /**
     * Sizes of a convolution: pictures {@code [batch, y, x, channel]}, weights {@code [out, ky, kx, in]}.
     *
     * @param type of pictures, weights and result; sums are 32-bit
     * @param size of the window, in both directions
     * @param padding with zeros, on all four sides
     */
    record Convolution(
            DataType type,
            int batch,
            int height,
            int width,
            int inChannels,
            int outChannels,
            int size,
            int stride,
            int padding) {
        public Convolution {
            Objects.requireNonNull(type, "type");
            if (!DataType.FLOATS.contains(type)
                    || batch < 1
                    || inChannels < 1
                    || outChannels < 1
                    || size < 1
                    || stride < 1
                    || padding < 0
                    || Math.min(height, width) + 2 * padding < size) {
                throw new IllegalArgumentException("a convolution of " + type + ", " + batch + "x" + height + "x" + width + "x" + inChannels
                        + " to " + outChannels + ", window " + size + ", stride " + stride + ", padding " + padding);
            }
        }

        public int outHeight() {
            return (height + 2 * padding - size) / stride + 1;
        }

        public int outWidth() {
            return (width + 2 * padding - size) / stride + 1;
        }

        /** Positions of the result. */
        public int rows() {
            return batch * outHeight() * outWidth();
        }

        /** As in tables: "conv f16 2x64x64x320 to 320, 3x3 stride 1". */
        public String label() {
            return "conv " + type.label() + " " + batch + "x" + height + "x" + width + "x" + inChannels + " to " + outChannels + ", " + size
                    + "x" + size + " stride " + stride + (padding == size / 2 ? "" : " padding " + padding);
        }
    }

    /** "8.9.7". */
    String version();

    /** What {@link #convolve} needs of device memory beside its arguments; empty when cuDNN cannot do this one. */
    OptionalLong workBytes(Convolution convolution);

    /**
     * Queues the convolution.
     *
     * @param work address of {@link #workBytes} bytes; ignored where that is 0
     * @throws CudaException when cuDNN refuses it
     */
    void convolve(Convolution convolution, long in, long weights, long out, long work, CudaContext.Stream stream);

    @Override
    void close();
}
