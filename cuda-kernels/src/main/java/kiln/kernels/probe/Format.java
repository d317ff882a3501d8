package kiln.kernels.probe;

import java.util.Locale;
import kiln.kernels.HalfFloats;
import kiln.kernels.ptx.PtxType;

/** What a word (two for 64 bits) of an operand or a result means to an instruction. */
enum Format {
    F32(PtxType.F32, 1),
    /** In the lower half of a word. */
    F16(PtxType.F16, 1),
    F16X2(PtxType.B32, 1),
    B32(PtxType.B32, 1),
    U32(PtxType.U32, 1),
    S32(PtxType.S32, 1),
    U64(PtxType.U64, 2),
    /** 0 or 1. */
    PREDICATE(PtxType.PRED, 1);

    private final PtxType type;
    private final int words;

    Format(PtxType type, int words) {
        this.type = type;
        this.words = words;
    }

    PtxType type() {
        return type;
    }

    int words() {
        return words;
    }

    /** The value that begins at a word, for people, with its bits where they say more. */
    String show(int[] from, int at) {
        int word = from[at];
        return switch (this) {
            case F32 -> show(word);
            case F16 -> half(word);
            case F16X2 -> "{" + half(word) + ", " + half(word >>> 16) + "}";
            case B32 -> String.format(Locale.ROOT, "0x%08x", word);
            case U32 -> Integer.toUnsignedString(word);
            case S32 -> Integer.toString(word);
            case U64 -> Long.toUnsignedString(from[at + 1] * (1L << 32) | word & 0xffff_ffffL);
            case PREDICATE -> word == 0 ? "false" : word == 1 ? "true" : String.format(Locale.ROOT, "0x%08x", word);
        };
    }

    /** A float with its bits. */
    static String show(int bits) {
        return String.format(Locale.ROOT, "%s (0x%08x)", Float.intBitsToFloat(bits), bits);
    }

    private static String half(int bits) {
        return String.format(Locale.ROOT, "%s (0x%04x)", HalfFloats.toFloat((short) bits), bits & 0xffff);
    }
}
