package kiln.runtime.sampling;

import java.util.Locale;
import java.util.Objects;
import kiln.runtime.base.Bounds;
import kiln.runtime.base.KilnException;

/**
 * How {@link Sampler#UNIPC} walks.
 *
 * @param order most earlier steps that a step looks at, 1 to 50; lowered where a run has fewer steps
 * @param lowerOrderFinal whether the last steps look at fewer, which steadies short runs
 */
public record UniPcOptions(Variant variant, SkipType skipType, int order, boolean lowerOrderFinal) {
    public static final UniPcOptions DEFAULTS = new UniPcOptions(Variant.BH1, SkipType.TIME_UNIFORM, 3, true);

    private static final int HIGHEST_ORDER = 50;

    /** Which function of the step's length weighs the corrections. */
    public enum Variant {
        BH1,
        BH2,
        VARY_COEFF
    }

    /** How the times of a run are spaced. */
    public enum SkipType {
        TIME_UNIFORM,
        TIME_QUADRATIC,
        LOGSNR
    }

    public UniPcOptions {
        Objects.requireNonNull(variant, "variant");
        Objects.requireNonNull(skipType, "skipType");
        Bounds.check("uni_pc_order", order, 1, HIGHEST_ORDER);
    }

    /** Reads a value as A1111 writes it, "vary_coeff" or "logSNR". */
    static <E extends Enum<E>> E read(String setting, String value, Class<E> type) {
        try {
            return Enum.valueOf(type, value.strip().toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new KilnException(
                    KilnException.Category.BAD_REQUEST, setting + " " + Names.quoted(value) + " is not known", e);
        }
    }
}
