package kiln.runtime.image;

import java.util.Arrays;

/**
 * A rough picture straight from a latent, an eighth of the size, without the decoder: a linear map from the four channels to RGB.
 * Immutable; safe from any thread.
 */
public final class LatentPreview {
    private static final int CHANNELS = 4;
    private static final LatentPreview SD1 = new LatentPreview(new float[][] {
        // The widely used factors map to -1…1; halved, with 0.5 added, they map to 0…1.
        {0.298f / 2, 0.207f / 2, 0.208f / 2},
        {0.187f / 2, 0.286f / 2, 0.173f / 2},
        {-0.158f / 2, 0.189f / 2, 0.264f / 2},
        {-0.184f / 2, -0.271f / 2, -0.473f / 2},
        {0.5f, 0.5f, 0.5f}
    });

    private final float[][] rows;

    /**
     * @param rows five rows of three: what each latent channel, in the sampler's scale, adds to red, green and blue in 0…1, and
     *     last what is added always
     */
    public LatentPreview(float[][] rows) {
        if (rows.length != CHANNELS + 1 || Arrays.stream(rows).anyMatch(row -> row.length != 3)) {
            throw new IllegalArgumentException("a preview map has 5 rows of 3, found " + Arrays.deepToString(rows));
        }
        this.rows = Arrays.stream(rows).map(float[]::clone).toArray(float[][]::new);
    }

    /** The usual map of SD 1.x models. */
    public static LatentPreview sd1() {
        return SD1;
    }

    /** The picture of {@code [4, height, width]} that begins at {@code offset}, in the sampler's scale. */
    public Picture render(float[] latent, int offset, int height, int width) {
        int pixels = Math.multiplyExact(height, width);
        if (offset < 0 || latent.length - offset < (long) CHANNELS * pixels) {
            throw new IllegalArgumentException(
                    "a latent of " + width + "x" + height + " at " + offset + " is not inside " + latent.length + " values");
        }
        byte[] rgb = new byte[3 * pixels];
        for (int i = 0; i < pixels; i++) {
            for (int c = 0; c < 3; c++) {
                float value = rows[CHANNELS][c];
                for (int k = 0; k < CHANNELS; k++) {
                    value += latent[offset + k * pixels + i] * rows[k][c];
                }
                rgb[3 * i + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
            }
        }
        return new Picture(width, height, rgb);
    }
}
