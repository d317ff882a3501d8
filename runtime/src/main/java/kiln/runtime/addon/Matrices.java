package kiln.runtime.addon;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Products of small matrices in plain Java, on all processors of the common pool; written so that the compiler makes vector code of them. */
final class Matrices {
    /** Multiplications that are worth a task of their own. */
    private static final long WORK = 1 << 21;

    private Matrices() {}

    /**
     * {@code target += factor · left · right}, of which the first {@code terms} columns and rows are used.
     *
     * @param target {@code [left.rows, right.columns]}
     */
    static void addProduct(float[] target, Values left, Values right, int terms, float factor) {
        int rows = left.rows();
        int columns = right.columns();
        // Arrays of their own, all read at one index: only then does the compiler know that nothing overlaps, and makes vector code.
        float[][] used = new float[terms][];
        for (int k = 0; k < terms; k++) {
            used[k] = Arrays.copyOfRange(right.data(), k * columns, (k + 1) * columns);
        }
        int together = (int) Math.max(1, Math.min(rows, WORK / Math.max(1, (long) terms * columns)));
        IntStream.range(0, (rows + together - 1) / together).parallel().forEach(task -> {
            float[] sum = new float[columns];
            float[] factors = new float[terms];
            int end = Math.min(rows, (task + 1) * together);
            for (int row = task * together; row < end; row++) {
                for (int k = 0; k < terms; k++) {
                    factors[k] = factor * left.data()[row * left.columns() + k];
                }
                System.arraycopy(target, row * columns, sum, 0, columns);
                addRows(sum, factors, used);
                System.arraycopy(sum, 0, target, row * columns, columns);
            }
        });
    }

    private static void addRows(float[] sum, float[] factors, float[][] rows) {
        int k = 0;
        for (; k + 4 <= factors.length; k += 4) {
            addFour(sum, factors[k], rows[k], factors[k + 1], rows[k + 1], factors[k + 2], rows[k + 2], factors[k + 3], rows[k + 3]);
        }
        for (; k < factors.length; k++) {
            add(sum, rows[k], factors[k]);
        }
    }

    private static void addFour(float[] sum, float a, float[] ra, float b, float[] rb, float c, float[] rc, float d, float[] rd) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += a * ra[i] + b * rb[i] + c * rc[i] + d * rd[i];
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
