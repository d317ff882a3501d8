package kiln.kernels.op.attention;

/**
 * The sizes of an attention, heads read in place: element {@code (b, i, head, c)} of a factor is at
 * {@code (b · length + i) · stride + head · headSize + c}, so q, k and v may be parts of one packed result.
 *
 * @param queries of each picture
 * @param keys of each picture
 * @param qStride elements from one query to the next
 * @param kStride elements from one key to the next
 * @param vStride elements from one value to the next
 * @param outStride elements from one result to the next
 */
public record AttentionShape(int batch, int heads, int queries, int keys, int qStride, int kStride, int vStride, int outStride) {
    public AttentionShape {
        if (batch < 1 || heads < 1 || queries < 1 || keys < 1 || Math.min(Math.min(qStride, kStride), Math.min(vStride, outStride)) < heads) {
            throw new IllegalArgumentException("attention of " + batch + " x " + heads + " heads, " + queries + " queries, " + keys
                    + " keys, strides " + qStride + ", " + kStride + ", " + vStride + ", " + outStride);
        }
    }

    /** q, k and v side by side in one result of {@code 3 · heads · headSize} channels. */
    public static AttentionShape packed(int batch, int heads, int headSize, int length) {
        int width = heads * headSize;
        return new AttentionShape(batch, heads, length, length, 3 * width, 3 * width, 3 * width, width);
    }

    /** Whether all strides are multiples of {@code elements}. */
    boolean stridesAreMultiplesOf(int elements) {
        return (qStride % elements | kStride % elements | vStride % elements | outStride % elements) == 0;
    }

    String strides() {
        return qStride + ", " + kStride + ", " + vStride + " and " + outStride;
    }
}
