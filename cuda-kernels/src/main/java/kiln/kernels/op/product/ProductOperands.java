package kiln.kernels.op.product;

import java.util.List;
import java.util.Objects;

/**
 * What a product's launches read and write; addresses on the device.
 *
 * @param left of the first of the launch's rows, or of the band's first row of the first picture
 * @param factors of the left factor's channels; with {@link OnLoad#NOTHING}, ignored
 * @param scales of one 32-bit float for each of the weights' rows; where weights are no bytes, ignored
 * @param out of the first of the launch's rows in the result; so are the inputs
 * @param work of the plan's {@code workBytes}; where there are no parts, ignored
 * @param bias of one value for each column; without a bias, ignored
 * @param inputs of the epilogue's steps that have one, in their order
 */
public record ProductOperands(
        long left, OnLoad.Factors factors, long weights, long scales, long out, long work, long bias, List<Epilogue.Input> inputs) {
    public ProductOperands {
        Objects.requireNonNull(factors, "factors");
        inputs = List.copyOf(inputs);
    }
}
