package kiln.runtime.addon;

import java.util.stream.IntStream;

/** Products of small matrices in plain Java, on all processors of the common pool; written so that the compiler makes vector code of them. */
final class Matrices {
    /** Columns that are worked on at a time, so that those of the right factor stay in the cache from row to row. */
    private static final int TILE = 2048;
    /** Multiplications that are worth a task of their own. */
    private static final long WORK = 1 << 20;

    private Matrices() {}

    /**
     * {@code target += factor · left · right}, of which the first {@code terms} columns and rows are used.
     *
     * @param target {@code [left.rows, right.columns]}
     */
    static void addProduct(float[] target, Values left, Values right, int terms, float factor) {
        int rows = left.rows();
        int columns = right.columns();
        int together = (int) Math.max(1, Math.min(rows, WORK / Math.max(1, (long) terms * columns)));
        IntStream.range(0, (rows + together - 1) / together).parallel().forEach(task -> {
            int end = Math.min(rows, (task + 1) * together);
            for (int from = 0; from < columns; from += TILE) {
                int to = Math.min(columns, from + TILE);
                for (int row = task * together; row < end; row++) {
                    addRow(target, row * columns, left.data(), row * left.columns(), right.data(), columns, from, to, terms, factor);
                }
            }
        });
    }

    private static void addRow(
            float[] target, int at, float[] left, int leftAt, float[] right, int columns, int from, int to, int terms, float factor) {
        int k = 0;
        for (; k + 4 <= terms; k += 4) {
            float a = factor * left[leftAt + k];
            float b = factor * left[leftAt + k + 1];
            float c = factor * left[leftAt + k + 2];
            float d = factor * left[leftAt + k + 3];
            int first = k * columns;
            int second = first + columns;
            int third = second + columns;
            int fourth = third + columns;
            for (int i = from; i < to; i++) {
                target[at + i] += a * right[first + i] + b * right[second + i] + c * right[third + i] + d * right[fourth + i];
            }
        }
        for (; k < terms; k++) {
            float a = factor * left[leftAt + k];
            int first = k * columns;
            for (int i = from; i < to; i++) {
                target[at + i] += a * right[first + i];
            }
        }
    }

    /** {@code target += factor · source}. */
    static void add(float[] target, float[] source, float factor) {
        for (int i = 0; i < source.length; i++) {
            target[i] += factor * source[i];
        }
    }

    /**
     * (I + Q)(I − Q)⁻¹ of a skew matrix: Cayley's rotation. I − Q is never singular, as Q's eigenvalues are imaginary.
     *
     * @param q {@code [side, side]}, row-major
     */
    static double[] cayley(double[] q, int side) {
        // R (I − Q) = I + Q; transposed, as Q's transpose is −Q: (I + Q) Rᵀ = I − Q.
        double[] system = new double[side * side];
        double[] solution = new double[side * side];
        for (int i = 0; i < side * side; i++) {
            double one = i / side == i % side ? 1 : 0;
            system[i] = one + q[i];
            solution[i] = one - q[i];
        }
        solve(system, solution, side);
        double[] rotation = new double[side * side];
        for (int i = 0; i < side; i++) {
            for (int j = 0; j < side; j++) {
                rotation[j * side + i] = solution[i * side + j];
            }
        }
        return rotation;
    }

    /** Gauss and Jordan with the largest pivot of a column: {@code system · x = right}, x in place of {@code right}. */
    private static void solve(double[] system, double[] right, int side) {
        for (int column = 0; column < side; column++) {
            int pivot = column;
            for (int row = column + 1; row < side; row++) {
                if (Math.abs(system[row * side + column]) > Math.abs(system[pivot * side + column])) {
                    pivot = row;
                }
            }
            swapRows(system, side, pivot, column);
            swapRows(right, side, pivot, column);
            double scale = 1 / system[column * side + column];
            for (int i = 0; i < side; i++) {
                system[column * side + i] *= scale;
                right[column * side + i] *= scale;
            }
            for (int row = 0; row < side; row++) {
                double factor = system[row * side + column];
                if (row == column || factor == 0) {
                    continue;
                }
                for (int i = 0; i < side; i++) {
                    system[row * side + i] -= factor * system[column * side + i];
                    right[row * side + i] -= factor * right[column * side + i];
                }
            }
        }
    }

    private static void swapRows(double[] matrix, int side, int a, int b) {
        for (int i = 0; i < side; i++) {
            double kept = matrix[a * side + i];
            matrix[a * side + i] = matrix[b * side + i];
            matrix[b * side + i] = kept;
        }
    }
}
