package kiln.runtime.addon;

import java.util.Arrays;
import kiln.runtime.addon.LoraFormulas.Input;
import kiln.runtime.addon.LoraFormulas.Output;

/**
 * Rotations of a weight's rows in blocks: OFT (Qiu et al. 2023) and BOFT, whose blocks are joined like a butterfly (Liu et al. 2023), as
 * LyCORIS and kohya's scripts write them.
 */
final class OrthogonalFormulas {
    private static final double TINY = 1e-8;

    private OrthogonalFormulas() {}

    /** {@code oft_blocks} hold what Cayley's rotation is made of, with alpha as their constraint; {@code oft_diag} the rotations themselves. */
    static Output oft(Input input) {
        boolean rotations = !input.has(LoraPart.OFT_BLOCKS);
        Values blocks = input.get(rotations ? LoraPart.OFT_DIAG : LoraPart.OFT_BLOCKS);
        int dimensions = blocks.shape().length;
        LoraFormulas.require(dimensions == 3 || dimensions == 4, "its blocks have " + dimensions + " dimensions");
        int side = blocks.size(dimensions - 1);
        int count = blocks.size(dimensions - 2) == side ? blocks.size(dimensions - 3) : -1;
        int rows = input.weight().rows();
        LoraFormulas.require((long) count * side == rows, "its blocks do not fit " + rows + " rows");
        double constraint = rotations || !input.has(LoraPart.ALPHA) ? 0 : input.get(LoraPart.ALPHA).data()[0] * rows;
        double[] rotation = rotations ? doubles(blocks.data()) : rotations(blocks.data(), side, constraint);
        Values merged = dimensions == 3
                ? rotated(input.weight(), rotation, 0, side, true)
                : butterfly(input.weight(), rotation, blocks.size(0), side);
        scaleRows(merged, input.get(LoraPart.RESCALE));
        Matrices.add(merged.data(), input.weight().data(), -1);
        return Output.of(merged, 0);
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    /** Of all blocks together at most {@code constraint} is the norm of B − Bᵀ; 0 for no limit. */
    private static double[] rotations(float[] blocks, int side, double constraint) {
        double[] skew = new double[blocks.length];
        double squares = 0;
        for (int i = 0; i < blocks.length; i++) {
            int block = i / (side * side) * side * side;
            int row = (i - block) / side;
            int column = (i - block) % side;
            skew[i] = blocks[i] - blocks[block + column * side + row];
            squares += skew[i] * skew[i];
        }
        double norm = Math.sqrt(squares);
        double factor = constraint == 0 ? 1 : (Math.min(norm, constraint) + TINY) / (norm + TINY);
        double[] rotations = new double[blocks.length];
        double[] one = new double[side * side];
        for (int at = 0; at < blocks.length; at += side * side) {
            for (int i = 0; i < one.length; i++) {
                one[i] = factor * skew[at + i];
            }
            System.arraycopy(Matrices.cayley(one, side), 0, rotations, at, one.length);
        }
        return rotations;
    }

    /** Each block of rows by its own rotation. @param transposed whether row i of the result takes column i of the rotation */
    private static Values rotated(Values weight, double[] rotations, int first, int side, boolean transposed) {
        int columns = weight.columns();
        float[] result = new float[weight.data().length];
        double[] sums = new double[columns];
        for (int row = 0; row < weight.rows(); row++) {
            int block = row / side;
            Arrays.fill(sums, 0);
            for (int k = 0; k < side; k++) {
                int at = first + block * side * side;
                double factor = rotations[transposed ? at + k * side + row % side : at + row % side * side + k];
                int from = (block * side + k) * columns;
                for (int i = 0; i < columns; i++) {
                    sums[i] += factor * weight.data()[from + i];
                }
            }
            for (int i = 0; i < columns; i++) {
                result[row * columns + i] = (float) sums[i];
            }
        }
        return new Values(weight.shape(), result);
    }

    private static Values butterfly(Values weight, double[] rotations, int stages, int side) {
        Values result = weight;
        for (int stage = 0; stage < stages; stage++) {
            int half = (1 << Math.min(stage, 30)) * (side / 2);
            LoraFormulas.require(half > 0 && weight.rows() % (2L * half) == 0, stages + " stages do not fit " + weight.rows() + " rows");
            Values shuffled = shuffled(result, half, true);
            result = shuffled(rotated(shuffled, rotations, stage * weight.rows() * side, side, false), half, false);
        }
        return result;
    }

    /** Rows (c, g, k) to (c, k, g), where g is one of two and k one of {@code half}; or back. */
    private static Values shuffled(Values weight, int half, boolean there) {
        int columns = weight.columns();
        float[] result = new float[weight.data().length];
        for (int row = 0; row < weight.rows(); row++) {
            int group = row / (2 * half) * 2 * half;
            int g = row % (2 * half) / half;
            int k = row % half;
            int other = group + 2 * k + g;
            System.arraycopy(weight.data(), (there ? row : other) * columns, result, (there ? other : row) * columns, columns);
        }
        return new Values(weight.shape(), result);
    }

    private static void scaleRows(Values weight, Values factors) {
        if (factors == null) {
            return;
        }
        LoraFormulas.require(factors.data().length == weight.rows(), "its rescale has " + factors.data().length + " elements");
        for (int i = 0; i < weight.data().length; i++) {
            weight.data()[i] *= factors.data()[i / weight.columns()];
        }
    }
}
