package kiln.runtime.merge;

import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.weights.DType;

/**
 * What A1111's checkpoint merger is asked for; nothing is opened yet.
 *
 * @param primary A: the result has its tensors and no others
 * @param secondary B, {@code null} where the method has none
 * @param tertiary C, {@code null} where the method has none
 * @param multiplier for what no block weight is for
 * @param blocks a multiplier for each block of the denoiser, or {@code null}
 * @param vae whose tensors take the place of A's own autoencoder as they are, or {@code null}
 * @param discard tensors in whose names it is found are left out; {@code null} keeps all
 */
public record MergeRecipe(
        Path primary, Path secondary, Path tertiary, Method method, double multiplier, BlockMultipliers blocks, Format format, Path vae,
        Pattern discard) {
    /** The formulas. */
    public enum Method {
        /** A as it is: to bake a VAE in, to change the number format, to leave weights out. */
        NONE("No interpolation", 1),
        /** A · (1 − m) + B · m. */
        WEIGHTED_SUM("Weighted sum", 2),
        /** A + (B − C) · m. */
        ADD_DIFFERENCE("Add difference", 3);

        private final String label;
        private final int models;

        Method(String label, int models) {
            this.label = label;
            this.models = models;
        }

        /** As A1111 calls it. */
        public String label() {
            return label;
        }

        /** How many models it takes. */
        public int models() {
            return models;
        }
    }

    /** Number formats of the result's floats. */
    public enum Format {
        /** As A has them; formats of one byte and of eight become f32 where they are merged. */
        KEEP(null),
        F16(DType.F16),
        BF16(DType.BF16),
        F32(DType.F32);

        private final DType dtype;

        Format(DType dtype) {
            this.dtype = dtype;
        }

        DType of(DType stored, boolean merged) {
            if (dtype != null) {
                return dtype;
            }
            return !merged || stored == DType.F16 || stored == DType.BF16 ? stored : DType.F32;
        }
    }

    public MergeRecipe {
        Objects.requireNonNull(primary, "primary");
        Objects.requireNonNull(format, "format");
        int given = tertiary != null ? 3 : secondary != null ? 2 : 1;
        if (given != method.models() || tertiary != null && secondary == null) {
            throw KilnException.badRequest("\"" + method.label() + "\" takes " + method.models()
                    + (method.models() == 1 ? " model: " : " models: ") + given + (given == 1 ? " is given" : " are given"));
        }
        if (!Double.isFinite(multiplier)) {
            throw KilnException.badRequest("multiplier " + multiplier + " is no number that can be multiplied by");
        }
        if (blocks != null && method == Method.NONE) {
            throw KilnException.badRequest("\"" + method.label() + "\" multiplies nothing: block weights have no use there");
        }
    }
}
