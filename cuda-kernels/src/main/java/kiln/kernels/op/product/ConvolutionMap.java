package kiln.kernels.op.product;

import kiln.kernels.ptx.Value;

/**
 * The map that a {@link Convolution} reads and the one that it computes, as registers of the entry's parameters. Of a doubled picture the
 * latter is one parity of the result.
 *
 * @param in address of {@code [pictures, inRows, width, channels]}
 * @param height of a whole picture, as {@code width}
 * @param firstOutRow of the band that is computed, whose rows are {@code outHeight}
 * @param firstInRow of the picture's rows that are stored, {@code inRows} of each picture
 */
record ConvolutionMap(
        Value in, Value height, Value width, Value outHeight, Value outWidth, Value firstOutRow, Value firstInRow, Value inRows) {}
