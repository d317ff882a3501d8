package kiln.kernels.emulator;

import kiln.kernels.DataType;

/**
 * What the stand-ins for {@code libcublas.so.12} and {@code libcudnn.so.8} call: the products on the emulated cards' memory, as those
 * libraries' manuals define them, written anew so that Kiln's own definitions are checked.
 */
final class StandInLibraries {
    private static final int WORK_BYTES = 512;

    private StandInLibraries() {}

    /** A column's elements are adjacent unless it is transposed: element (row, column) is at {@code row + column · stride}. */
    private record Matrix(float[] values, int stride, boolean transposed) {
        float get(int row, int column) {
            return transposed ? values[column + row * stride] : values[row + column * stride];
        }
    }

    private static float[] read(DeviceMemory memory, DataType type, long address, int count) {
        byte[] bytes = new byte[count * type.bytes()];
        memory.read(address, bytes);
        return type.decode(bytes);
    }

    private static Matrix matrix(DeviceMemory memory, DataType type, long address, int stride, boolean transposed, int rows, int columns) {
        int lines = transposed ? rows : columns;
        int length = transposed ? columns : rows;
        return new Matrix(read(memory, type, address, (lines - 1) * stride + length), stride, transposed);
    }

    // Called by libcublas.c and libcudnn.c.

    /** {@code c = op(a) · op(b)}, c of m rows and n columns, k the sums' length; arguments in cuBLAS' order. */
    static int gemm(
            int device,
            boolean half,
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            long a,
            int aStride,
            long b,
            int bStride,
            long c,
            int cStride) {
        DeviceMemory memory = StandInCard.memory(device);
        DataType type = half ? DataType.F16 : DataType.F32;
        Matrix left = matrix(memory, type, a, aStride, transposeA, m, k);
        Matrix right = matrix(memory, type, b, bStride, transposeB, k, n);
        for (int column = 0; column < n; column++) {
            float[] result = new float[m];
            for (int row = 0; row < m; row++) {
                double sum = 0;
                for (int i = 0; i < k; i++) {
                    sum += (double) left.get(row, i) * right.get(i, column);
                }
                result[row] = (float) sum;
            }
            memory.write(c + (long) column * cStride * type.bytes(), type.encode(result));
        }
        return 0;
    }

    /** @param sizes batch; height, width, channels of pictures; of results; height, width of the window; padding and stride, y before x */
    static int convolve(int device, boolean half, int[] sizes, long in, long weights, long out, long work) {
        DeviceMemory memory = StandInCard.memory(device);
        DataType type = half ? DataType.F16 : DataType.F32;
        int batch = sizes[0];
        int height = sizes[1];
        int width = sizes[2];
        int channels = sizes[3];
        int outHeight = sizes[4];
        int outWidth = sizes[5];
        int outChannels = sizes[6];
        int windowHeight = sizes[7];
        int windowWidth = sizes[8];
        float[] pictures = read(memory, type, in, batch * height * width * channels);
        float[] filters = read(memory, type, weights, outChannels * windowHeight * windowWidth * channels);
        float[] results = new float[batch * outHeight * outWidth * outChannels];
        for (int i = 0; i < results.length; i++) {
            int channel = i % outChannels;
            int x = i / outChannels % outWidth * sizes[12] - sizes[10];
            int y = i / outChannels / outWidth % outHeight * sizes[11] - sizes[9];
            int picture = i / outChannels / outWidth / outHeight;
            double sum = 0;
            for (int dy = Math.max(0, -y); dy < Math.min(windowHeight, height - y); dy++) {
                for (int dx = Math.max(0, -x); dx < Math.min(windowWidth, width - x); dx++) {
                    int from = ((picture * height + y + dy) * width + x + dx) * channels;
                    int by = ((channel * windowHeight + dy) * windowWidth + dx) * channels;
                    for (int c = 0; c < channels; c++) {
                        sum += (double) pictures[from + c] * filters[by + c];
                    }
                }
            }
            results[i] = (float) sum;
        }
        // Whoever keeps something there finds it gone.
        memory.fill(work, WORK_BYTES, (byte) 0x5a);
        memory.write(out, type.encode(results));
        return 0;
    }
}
