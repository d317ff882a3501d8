package kiln.runtime.job;

import java.nio.file.Path;
import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * The picture that a request begins from in place of noise alone (img2img).
 *
 * @param denoisingStrength 0 keeps the picture, 1 draws anew
 * @param mask what of it changes; {@code null} for all
 */
public record InitPicture(Path file, double denoisingStrength, ResizeMode resize, Mask mask) {
    /** How a picture gets the request's size; A1111's resize modes in their order. */
    public enum ResizeMode {
        /** Stretched. */
        JUST_RESIZE("Just resize"),
        /** Covers the size; what stands out is cut off, as much on both sides. */
        CROP("Crop and resize"),
        /** Fits into the size; its edges fill the rest. */
        FILL("Resize and fill");

        private final String label;

        ResizeMode(String label) {
            this.label = label;
        }

        /** As A1111 shows it. */
        public String label() {
            return label;
        }
    }

    /** Without a mask. */
    public InitPicture(Path file, double denoisingStrength, ResizeMode resize) {
        this(file, denoisingStrength, resize, null);
    }

    public InitPicture {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(resize, "resize");
        if (!(denoisingStrength >= 0 && denoisingStrength <= 1)) {
            throw KilnException.badRequest("denoising strength " + denoisingStrength + " is outside 0 to 1");
        }
    }

    public InitPicture withStrength(double strength) {
        return new InitPicture(file, strength, resize, mask);
    }
}
