package kiln.runtime.model;

import java.util.Arrays;

/**
 * How a model's latents relate to pictures and to what samplers work on: sampler's value = (codec's value − shift) · scale.
 *
 * @param pixels of the picture, a side, for each of the latent's positions
 * @param preview {@code channels + 1} rows of three: what each channel, in the sampler's scale, adds to red, green and blue in 0…1, and last
 *     what is added always
 */
public record LatentFormat(int channels, int pixels, float scale, float shift, float[][] preview) {
    public LatentFormat {
        if (channels < 1 || pixels < 1 || !(scale > 0) || !Float.isFinite(shift)) {
            throw new IllegalArgumentException(channels + " channels, " + pixels + " pixels, scale " + scale + ", shift " + shift);
        }
        if (preview.length != channels + 1 || Arrays.stream(preview).anyMatch(row -> row.length != 3)) {
            throw new IllegalArgumentException(
                    "a preview map of " + channels + " channels has one row more, of 3 each: " + Arrays.deepToString(preview));
        }
        preview = Arrays.stream(preview).map(float[]::clone).toArray(float[][]::new);
    }

    /** With another preview map, which a checkpoint may bring; {@code null} or one of another size changes nothing. */
    public LatentFormat withPreview(float[][] map) {
        boolean fits = map != null && map.length == channels + 1;
        return fits ? new LatentFormat(channels, pixels, scale, shift, map) : this;
    }
}
