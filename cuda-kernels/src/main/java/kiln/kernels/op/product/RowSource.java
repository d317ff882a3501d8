package kiln.kernels.op.product;

import kiln.kernels.ptx.Value;

/**
 * Where a {@link TiledProduct} finds the left factor: a row of results reads {@code channels} adjacent elements at each of its taps. A plain
 * matrix has one tap; a 3×3 convolution has nine.
 */
interface RowSource {
    /** A row's elements at one tap: the first one's address, and whether there are any (outside the picture there are zeros). */
    record Place(Value address, Value valid) {}

    int taps();

    /** Emits what a row's number is cut into, once, before the first tap. */
    Object prepare(Value row, Value inRange);

    /** Emits the place of a row at a tap into registers that exist. */
    void place(Object prepared, Value tap, Place target);

    /** Emits the bytes from a row to the one so many behind it where that is the same for all; {@code null} where it is not. */
    default Value step(int rows) {
        return null;
    }
}
