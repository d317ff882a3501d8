package kiln.runtime.job;

import java.nio.file.Path;
import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * Which part of a picture is drawn anew (inpainting): where the mask is white.
 *
 * @param file its brightness is the mask, or its opacity where it is not opaque everywhere; {@code null} for what is transparent in the
 *     request's picture
 * @param outpainting what is added around the picture is the mask; {@code null} for none
 * @param blur of its edges in pixels, the standard deviation of a Gaussian
 * @param inverted what is black is drawn anew
 * @param fill what the drawing begins from there
 * @param onlyMasked the mask's surroundings are cut out, drawn at the request's size and put back: the picture keeps its own size
 * @param padding around the mask, in the picture's pixels, where only that is drawn
 * @param soft grey stays grey: such a place is changed in part. Else what is brighter than 128 is white
 */
public record Mask(
        Path file, Outpainting outpainting, int blur, boolean inverted, Fill fill, boolean onlyMasked, int padding, boolean soft) {
    /** A1111's "Masked content", in its order. */
    public enum Fill {
        /** Blurred surroundings. */
        FILL("fill"),
        ORIGINAL("original"),
        LATENT_NOISE("latent noise"),
        /** A latent of zeros. */
        LATENT_NOTHING("latent nothing");

        private final String label;

        Fill(String label) {
            this.label = label;
        }

        /** As A1111 shows it. */
        public String label() {
            return label;
        }
    }

    private static final int MOST_BLUR = 256;
    private static final int MOST_PADDING = 4096;

    public Mask {
        Objects.requireNonNull(fill, "fill");
        if (blur < 0 || blur > MOST_BLUR) {
            throw KilnException.badRequest("mask blur " + blur + " is outside 0 to " + MOST_BLUR);
        }
        if (outpainting != null && (file != null || onlyMasked || inverted)) {
            throw KilnException.badRequest("outpainting makes its own mask: no other one, nor only masked, nor inverted");
        }
        if (padding < 0 || padding > MOST_PADDING) {
            throw KilnException.badRequest("masked area padding " + padding + " is outside 0 to " + MOST_PADDING);
        }
    }

    /** As the script begins. */
    public static Mask of(Outpainting outpainting) {
        return new Mask(null, outpainting, 8, false, Fill.FILL, false, 32, false);
    }

    /** As A1111's page begins. @param file {@code null} for the picture's transparency */
    public static Mask of(Path file) {
        return new Mask(file, null, 4, false, Fill.ORIGINAL, false, 32, false);
    }
}
