package kiln.kernels.op.product;

import java.util.Locale;
import kiln.kernels.DataType;
import kiln.kernels.op.Activation;
import kiln.kernels.op.norm.GroupNormApply;
import kiln.kernels.op.norm.GroupNormScale;

/**
 * What a product does to its left factor's elements as it loads them: group normalisation's last part, which then needs no launch and no map
 * of its own. An element of picture b and channel c becomes {@code x · factors[b, 0, c] + factors[b, 1, c]} in 32 bits, then SiLU if asked,
 * and is rounded to the tensors' type, as it would have been in a map; so the product is that of {@link GroupNormApply}'s result.
 */
public enum OnLoad {
    NOTHING,
    AFFINE,
    AFFINE_SILU;

    /**
     * The factors of a launch.
     *
     * @param address of {@code [pictures, 2, channels]} 32-bit floats of {@link GroupNormScale}, aligned to 16 bytes; with {@link #NOTHING}, ignored
     * @param positions how many neighbouring rows of the left factor are one picture's
     */
    public record Factors(long address, int positions) {
        /** For {@link OnLoad#NOTHING}. */
        public static final Factors NONE = new Factors(0, 1);

        public Factors {
            if (positions < 1) {
                throw new IllegalArgumentException("a picture of " + positions + " positions");
            }
        }
    }

    /** As in variants' names: "affine+silu". */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace("_", "+");
    }

    /**
     * What is multiplied, in plain Java.
     *
     * @param type of the tensors
     * @param in {@code [rows, channels]}
     * @param factors {@code [pictures, 2, channels]}; with {@link #NOTHING}, ignored
     */
    public float[] reference(DataType type, float[] in, float[] factors, int positions, int channels) {
        if (this == NOTHING) {
            return in.clone();
        }
        float[] out = new float[in.length];
        for (int i = 0; i < in.length; i++) {
            int at = i / (positions * channels) * 2 * channels + i % channels;
            float y = Math.fma(in[i], factors[at], factors[at + channels]);
            out[i] = this == AFFINE_SILU ? Activation.SILU.apply(y) : y;
        }
        return type.decode(type.encode(out));
    }
}
