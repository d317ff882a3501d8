package kiln.kernels.ptx;

import java.util.Objects;

/**
 * An operand: a virtual register or a constant, as it stands in the text.
 *
 * @param type chooses the instruction's type where a value is its first source
 */
public record Value(PtxType type, String text) {
    public Value {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(text, "text");
    }

    public static Value of(int constant) {
        return new Value(PtxType.S32, Integer.toString(constant));
    }

    /** An exact 32-bit float constant, in the hexadecimal form that loses nothing. */
    public static Value of(float constant) {
        return new Value(PtxType.F32, String.format("0f%08X", Float.floatToRawIntBits(constant)));
    }

    public static Value ofLong(long constant) {
        return new Value(PtxType.S64, Long.toString(constant));
    }

    /** The same register read as another type of its width. */
    public Value as(PtxType other) {
        if (!other.registerPrefix().equals(type.registerPrefix())) {
            throw new IllegalArgumentException(text + " is " + type + " and cannot be read as " + other);
        }
        return new Value(other, text);
    }

    boolean isRegister() {
        return text.startsWith("%");
    }
}
