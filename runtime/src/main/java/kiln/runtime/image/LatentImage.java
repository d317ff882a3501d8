package kiln.runtime.image;

import java.util.Arrays;

/**
 * A latent that can be looked at: a rough picture straight from it, an eighth of the size, without the decoder, by a linear map from its
 * channels to RGB. Safe from any thread.
 *
 * @param values {@code [channels, height, width]} in the sampler's scale; shared, not copied: nobody writes to them any more
 * @param toRgb {@code channels + 1} rows of three: what each channel adds to red, green and blue in 0…1, and last what is added always
 */
public record LatentImage(float[] values, int height, int width, float[][] toRgb) {
    public LatentImage {
        int channels = toRgb.length - 1;
        if (channels < 1 || Arrays.stream(toRgb).anyMatch(row -> row.length != 3)) {
            throw new IllegalArgumentException("a preview map has a row of 3 for each channel and one more: " + Arrays.deepToString(toRgb));
        }
        if (height < 1 || width < 1 || values.length != (long) channels * height * width) {
            throw new IllegalArgumentException(
                    "a latent of " + width + "x" + height + " with " + channels + " channels does not have " + values.length + " values");
        }
    }

    public Picture render() {
        int channels = toRgb.length - 1;
        int pixels = height * width;
        byte[] rgb = new byte[3 * pixels];
        for (int i = 0; i < pixels; i++) {
            for (int c = 0; c < 3; c++) {
                float value = toRgb[channels][c];
                for (int k = 0; k < channels; k++) {
                    value += values[k * pixels + i] * toRgb[k][c];
                }
                rgb[3 * i + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
            }
        }
        return new Picture(width, height, rgb);
    }
}
