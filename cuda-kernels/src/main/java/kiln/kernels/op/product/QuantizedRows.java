package kiln.kernels.op.product;

/**
 * A weight matrix as bytes: {@code weight[row, column] ≈ values[row, column] · scales[row]}, one scale for each row (output channel), no zero
 * point.
 *
 * <p>A row's scale is its largest magnitude over 127, so the error of a weight is at most half a scale. The arrays are the record's own
 * after construction; nobody may change them.
 */
public record QuantizedRows(byte[] values, float[] scales) {
    private static final int LARGEST = 127;

    public QuantizedRows {
        if (scales.length == 0 || values.length % scales.length != 0) {
            throw new IllegalArgumentException(values.length + " values for " + scales.length + " rows");
        }
    }

    /**
     * Rounds to nearest, ties to even.
     *
     * @param columns elements of a row: input channels, times taps for a convolution
     * @throws IllegalArgumentException when a weight is not finite
     */
    public static QuantizedRows of(float[] rows, int columns) {
        if (columns < 1 || rows.length % columns != 0) {
            throw new IllegalArgumentException(rows.length + " weights in rows of " + columns);
        }
        byte[] values = new byte[rows.length];
        float[] scales = new float[rows.length / columns];
        for (int row = 0; row < scales.length; row++) {
            int begin = row * columns;
            float largest = 0;
            for (int i = begin; i < begin + columns; i++) {
                if (!Float.isFinite(rows[i])) {
                    throw new IllegalArgumentException("row " + row + " of the weights holds " + rows[i]);
                }
                largest = Math.max(largest, Math.abs(rows[i]));
            }
            scales[row] = largest / LARGEST;
            // A row of zeros, or of numbers so small that no float is their scale, stays zero.
            for (int i = begin; i < begin + columns && scales[row] > 0; i++) {
                double quotient = Math.rint((double) rows[i] / scales[row]);
                values[i] = (byte) Math.max(-LARGEST, Math.min(LARGEST, quotient));
            }
        }
        return new QuantizedRows(values, scales);
    }

    /** The whole numbers as floats, without their scales. */
    public float[] valuesAsFloats() {
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i];
        }
        return result;
    }
}
