package kiln.runtime.exec.reference;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Matrix products of a few rows at a time, on which all heavy ops rest. */
final class Product {
    /** Rows that go through the weights together, so that each weight is fetched once for all of them. */
    private static final int TILE = 16;

    /** Products summed in one 32-bit lane before the lane is added to the total: the error grows with LANE + k/LANE instead of k. */
    private static final int LANE = 64;

    private Product() {}

    /** Work on the rows {@code begin}…{@code end − 1}. */
    @FunctionalInterface
    interface Tile {
        void run(int begin, int end);
    }

    /** Cuts the rows into tiles and runs these on all processors. */
    static void tiles(int rows, Tile tile) {
        IntStream.range(0, (rows + TILE - 1) / TILE)
                .parallel()
                .forEach(i -> tile.run(i * TILE, Math.min(rows, (i + 1) * TILE)));
    }

    /**
     * x·W.
     *
     * @param weights a row of {@code columns} values for each element of a row of x
     */
    static float[][] multiply(float[][] x, float[][] weights, int columns) {
        float[][] totals = new float[x.length][columns];
        float[][] lanes = new float[x.length][columns];
        for (int begin = 0; begin < weights.length; begin += LANE) {
            for (int k = begin; k < Math.min(weights.length, begin + LANE); k++) {
                for (int r = 0; r < x.length; r++) {
                    addScaled(lanes[r], x[r][k], weights[k], columns);
                }
            }
            for (int r = 0; r < x.length; r++) {
                add(totals[r], lanes[r], columns);
                Arrays.fill(lanes[r], 0);
            }
        }
        return totals;
    }

    /** The one hot loop. The compiler makes vectors of it as long as all arrays are read at the same index. */
    private static void addScaled(float[] sums, float x, float[] weights, int columns) {
        for (int i = 0; i < columns; i++) {
            sums[i] += x * weights[i];
        }
    }

    static void add(float[] sums, float[] values, int columns) {
        for (int i = 0; i < columns; i++) {
            sums[i] += values[i];
        }
    }
}
