package kiln.runtime.sampling;

import java.util.Arrays;

/** Small systems of linear equations, by elimination with pivots. */
final class LinearSystem {
    private LinearSystem() {}

    /** Solves the leading {@code size} equations in as many unknowns. */
    static double[] solve(double[][] matrix, double[] right, int size) {
        double[] solution = new double[size];
        double[][] inverse = inverse(matrix, size);
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                solution[row] += inverse[row][column] * right[column];
            }
        }
        return solution;
    }

    /** The inverse of the leading {@code size} rows and columns. */
    static double[][] inverse(double[][] matrix, int size) {
        double[][] left = new double[size][];
        double[][] inverse = new double[size][size];
        for (int row = 0; row < size; row++) {
            left[row] = Arrays.copyOf(matrix[row], size);
            inverse[row][row] = 1;
        }
        for (int column = 0; column < size; column++) {
            int pivot = column;
            for (int row = column + 1; row < size; row++) {
                if (Math.abs(left[row][column]) > Math.abs(left[pivot][column])) {
                    pivot = row;
                }
            }
            swap(left, column, pivot);
            swap(inverse, column, pivot);
            for (int row = 0; row < size; row++) {
                if (row != column) {
                    double factor = left[row][column] / left[column][column];
                    subtract(left[row], left[column], factor);
                    subtract(inverse[row], inverse[column], factor);
                }
            }
        }
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                inverse[row][column] /= left[row][row];
            }
        }
        return inverse;
    }

    private static void swap(double[][] rows, int a, int b) {
        double[] row = rows[a];
        rows[a] = rows[b];
        rows[b] = row;
    }

    private static void subtract(double[] from, double[] row, double factor) {
        for (int i = 0; i < row.length; i++) {
            from[i] -= factor * row[i];
        }
    }
}
