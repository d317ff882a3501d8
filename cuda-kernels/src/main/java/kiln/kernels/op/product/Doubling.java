package kiln.kernels.op.product;

import java.util.stream.IntStream;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Value;

/**
 * A 3×3 convolution (stride 1, padding 1) of a picture doubled to nearest neighbours, computed from the picture as it is stored.
 *
 * <p>Of the nine places that a window covers, at most 2×2 differ. Which, is told by the parity of the result's row and column; so at each of
 * the four parities it is a convolution of the stored picture with a 2×2 window of its own, 4/9 of the work together:
 * {@code out[b, 2y + py, 2x + px, n] = Σ_dy Σ_dx Σ_c in[b, y + dy − 1 + py, x + dx − 1 + px, c] · w[2·py + px, n, dy, dx, c]}.
 */
public final class Doubling {
    /** Of a result's row and column together. */
    public static final int PARITIES = 4;

    static final int WINDOW = 2;
    public static final int TAPS = WINDOW * WINDOW;

    private static final int SIZE = 3;

    private Doubling() {}

    /**
     * From the checkpoint's {@code [out, in, 3, 3]} to {@code [parity, out, 2, 2, in]}: sums of the weights that fall on the same place.
     * Elements are 16/9 as many.
     */
    public static float[] packWeights(float[] weights, int out, int in) {
        float[] packed = new float[PARITIES * out * TAPS * in];
        IntStream.range(0, out).parallel().forEach(n -> {
            for (int parity = 0; parity < PARITIES; parity++) {
                for (int tap = 0; tap < SIZE * SIZE; tap++) {
                    int dy = place(tap / SIZE, parity / 2);
                    int dx = place(tap % SIZE, parity % 2);
                    int to = ((parity * out + n) * TAPS + dy * WINDOW + dx) * in;
                    int from = n * in * SIZE * SIZE + tap;
                    for (int c = 0; c < in; c++) {
                        packed[to + c] += weights[from + c * SIZE * SIZE];
                    }
                }
            }
        });
        return packed;
    }

    /** Where a row or column of the window of three falls in that of two. */
    private static int place(int tap, int parity) {
        return (tap + 1 - parity) / 2;
    }

    /** The text of a launch that computes all parities: blockIdx.z counts them, and with them the parts of the sum. */
    static final class Text {
        /** Which parity the block computes. */
        final Value parity;
        /** Which part of the sum. */
        final Value part;
        /** The parity of its results' rows and columns. */
        final Value y;

        final Value x;
        private final PtxFunction f;
        private final Value width;

        /** @param width of the stored picture */
        Text(PtxFunction f, Value width) {
            this.f = f;
            this.width = width;
            Value z = f.special("%ctaid.z");
            parity = f.and(z, Value.of(PARITIES - 1));
            part = f.compute(PtxOp.SHR, z, Value.of(2));
            y = f.compute(PtxOp.SHR, parity, Value.of(1));
            x = f.and(parity, Value.of(1));
        }

        /** The row of the result that a position of the stored picture makes; beyond the last where the position is. */
        Value resultRow(Value position) {
            Value column = f.compute(PtxOp.REM, position, width);
            // (2·(position / width) + y) · 2·width + 2·column + x
            Value even = f.mul(f.sub(f.add(position, position), column), Value.of(2));
            return f.add(even, f.mad(f.add(width, width), y, x));
        }

        /** The number of the slice of statistics that a slice of the stored picture's positions makes. */
        Value slice(Value number) {
            return f.mad(number, Value.of(PARITIES), parity);
        }
    }
}
