package kiln.kernels.ptx;

/** The types of PTX values that our kernels use; each lives in a virtual register of one of five kinds. */
public enum PtxType {
    PRED("pred", "%p", "pred", 0),
    /** A signed byte, in a 32-bit register. */
    S8("s8", "%r", "b32", 1),
    B16("b16", "%h", "b16", 2),
    F16("f16", "%h", "b16", 2),
    B32("b32", "%r", "b32", 4),
    S32("s32", "%r", "b32", 4),
    U32("u32", "%r", "b32", 4),
    F32("f32", "%f", "f32", 4),
    S64("s64", "%rd", "b64", 8),
    U64("u64", "%rd", "b64", 8);

    private final String suffix;
    private final String registerPrefix;
    private final String registerType;
    private final int bytes;

    PtxType(String suffix, String registerPrefix, String registerType, int bytes) {
        this.suffix = suffix;
        this.registerPrefix = registerPrefix;
        this.registerType = registerType;
        this.bytes = bytes;
    }

    /** As it stands behind a mnemonic, without the point. */
    public String suffix() {
        return suffix;
    }

    public int bytes() {
        return bytes;
    }

    /** The type without a meaning: bits of the same width. */
    String bitsSuffix() {
        return this == PRED ? "pred" : "b" + 8 * bytes;
    }

    String registerPrefix() {
        return registerPrefix;
    }

    String registerType() {
        return registerType;
    }

    boolean isFloat() {
        return this == F16 || this == F32;
    }
}
