package kiln.kernels.emulator;

/** A type suffix of PTX: its width and how its bits are read. */
enum PtxType {
    PRED(1, 'p'),
    B8(8, 'b'), B16(16, 'b'), B32(32, 'b'), B64(64, 'b'),
    U8(8, 'u'), U16(16, 'u'), U32(32, 'u'), U64(64, 'u'),
    S8(8, 's'), S16(16, 's'), S32(32, 's'), S64(64, 's'),
    F16(16, 'f'), F16X2(32, 'x'), BF16(16, 'f'), BF16X2(32, 'x'), F32(32, 'f'), F64(64, 'f');

    final int bits;
    private final char family;

    PtxType(int bits, char family) {
        this.bits = bits;
        this.family = family;
    }

    int bytes() {
        return bits / 8;
    }

    boolean isSigned() {
        return family == 's';
    }

    boolean isFloat() {
        return family == 'f';
    }

    boolean isPacked() {
        return family == 'x';
    }

    /** Integers and untyped bits. */
    boolean isInteger() {
        return family == 'u' || family == 's' || family == 'b';
    }

    /** The type of a suffix without its dot, or null if it is none. */
    static PtxType of(String suffix) {
        return switch (suffix) {
            case "pred" -> PRED;
            case "b8" -> B8;
            case "b16" -> B16;
            case "b32" -> B32;
            case "b64" -> B64;
            case "u8" -> U8;
            case "u16" -> U16;
            case "u32" -> U32;
            case "u64" -> U64;
            case "s8" -> S8;
            case "s16" -> S16;
            case "s32" -> S32;
            case "s64" -> S64;
            case "f16" -> F16;
            case "f16x2" -> F16X2;
            case "bf16" -> BF16;
            case "bf16x2" -> BF16X2;
            case "f32" -> F32;
            case "f64" -> F64;
            default -> null;
        };
    }
}
