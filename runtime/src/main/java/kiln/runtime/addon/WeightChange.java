package kiln.runtime.addon;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kiln.runtime.addon.LoraFormulas.Input;
import kiln.runtime.addon.LoraFormulas.Output;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;

/**
 * One file's change of one weight or bias.
 *
 * @param bias whether the tensor is the module's bias
 * @param multiplier what the prompt says, for this place in the model
 * @param ranks how many are used
 */
record WeightChange(LoraFile file, LoraFile.Module module, boolean bias, double multiplier, int ranks) {
    /** What tells it from other changes of the same tensor. */
    record Key(String file, String module, double multiplier, int ranks) {}

    Key key() {
        return new Key(file.key(), module.name(), multiplier, ranks);
    }

    /**
     * Changes a weight in place.
     *
     * @throws KilnException UNSUPPORTED_MODEL when the module's shapes do not fit
     */
    void apply(List<Integer> shape, float[] weight) {
        Map<LoraPart, Values> parts = file.read(module);
        try {
            if (bias) {
                addBias(parts, weight);
            } else {
                Values target = new Values(shape.stream().mapToInt(Integer::intValue).toArray(), weight);
                add(new Input(target, parts, ranks), module.kind().formula());
            }
        } catch (LoraMisfit | ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw misfit(e.getMessage(), e);
        }
    }

    private KilnException misfit(String reason, Exception cause) {
        return new KilnException(Category.UNSUPPORTED_MODEL, file.path() + ": module " + module.name() + " does not fit: " + reason, cause);
    }

    private void addBias(Map<LoraPart, Values> parts, float[] weight) {
        Values added = parts.containsKey(LoraPart.DIFF_B) ? parts.get(LoraPart.DIFF_B) : parts.get(LoraPart.B_NORM);
        LoraFormulas.require(added.data().length == weight.length, "a bias of " + added.data().length + " for one of " + weight.length);
        Matrices.add(weight, added.data(), (float) multiplier);
    }

    private void add(Input input, LoraFormulas.Formula formula) {
        Output output = formula.of(input);
        float scale = scale(input, output.rank());
        float[] weight = input.weight().data();
        Values direction = input.get(LoraPart.DORA_SCALE);
        Values bias = input.get(LoraPart.BIAS);
        if (output.delta() == null && direction == null && bias == null && fits(output, input.weight())) {
            int terms = Math.min(ranks, output.left().columns());
            Matrices.addProduct(weight, output.left(), output.right(), terms, (float) (scale * multiplier));
            return;
        }
        float[] delta = whole(output, input.weight());
        if (bias != null) {
            LoraFormulas.require(bias.data().length == delta.length, "a bias of " + bias.data().length + " elements");
            Matrices.add(delta, bias.data(), 1);
        }
        if (direction == null) {
            Matrices.add(weight, delta, (float) (scale * multiplier));
        } else {
            redirect(input.weight(), delta, scale, direction);
        }
    }

    private static boolean fits(Output output, Values weight) {
        LoraFormulas.require(output.left().columns() == output.right().rows(), "its two matrices have other ranks");
        return output.left().rows() == weight.rows() && output.right().columns() == weight.columns();
    }

    /** The change in the weight's own shape. */
    private float[] whole(Output output, Values weight) {
        Values delta = output.delta();
        if (delta == null) {
            Values down = output.right();
            float[] product = new float[Math.multiplyExact(output.left().rows(), down.columns())];
            Matrices.addProduct(product, output.left(), down, Math.min(ranks, output.left().columns()), 1);
            int[] shape = down.shape().clone();
            shape[0] = output.left().rows();
            delta = new Values(shape, product);
        }
        if (delta.data().length == weight.data().length && delta.rows() == weight.rows()) {
            return delta.data();
        }
        LoraFormulas.require(
                weight.shape().length == 4 && delta.rows() == weight.rows() && delta.data().length * 9L == weight.data().length * 4L
                        && weight.size(1) == 9,
                "it is made for " + Arrays.toString(delta.shape()) + ", and the model has " + Arrays.toString(weight.shape()));
        // The first convolution of an inpainting model reads a mask and a picture behind the latent: nothing is added there.
        float[] wide = new float[weight.data().length];
        for (int row = 0; row < weight.rows(); row++) {
            System.arraycopy(delta.data(), row * delta.columns(), wide, row * weight.columns(), delta.columns());
        }
        return wide;
    }

    private static float scale(Input input, int rank) {
        if (input.has(LoraPart.SCALE)) {
            return input.get(LoraPart.SCALE).data()[0];
        }
        return input.has(LoraPart.ALPHA) && rank > 0 ? input.get(LoraPart.ALPHA).data()[0] / rank : 1;
    }

    /**
     * DoRA (Liu et al. 2024): the changed weight's direction with a length of its own, for each input column as A1111 and most files have it, or for
     * each output where the lengths are as many.
     */
    private void redirect(Values weight, float[] delta, float scale, Values lengths) {
        int rows = weight.rows();
        int channels = weight.shape().length > 1 ? weight.size(1) : 1;
        int places = weight.columns() / channels;
        boolean byRow = lengths.data().length == rows && lengths.rows() == rows;
        LoraFormulas.require(
                byRow || lengths.data().length == channels, "its dora_scale has " + lengths.data().length + " elements");
        double[] squares = new double[byRow ? rows : channels];
        float[] merged = weight.data().clone();
        Matrices.add(merged, delta, scale);
        for (int i = 0; i < merged.length; i++) {
            squares[byRow ? i / weight.columns() : i / places % channels] += (double) merged[i] * merged[i];
        }
        double[] factors = new double[squares.length];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = squares[i] == 0 ? 0 : lengths.data()[i] / Math.sqrt(squares[i]);
        }
        for (int i = 0; i < merged.length; i++) {
            double factor = factors[byRow ? i / weight.columns() : i / places % channels];
            weight.data()[i] += (float) (multiplier * (merged[i] * factor - weight.data()[i]));
        }
    }
}
