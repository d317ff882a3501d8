package kiln.kernels.ptx;

/** The table of operations: the mnemonic for integers, for floats, and which type stands behind it. */
public enum PtxOp {
    ADD("add", "add"),
    SUB("sub", "sub"),
    MUL("mul.lo", "mul"),
    /** a·b + c: integers keep the low half, floats round once. */
    MAD("mad.lo", "fma.rn"),
    DIV("div", "div.rn"),
    REM("rem", null),
    MIN("min", "min"),
    MAX("max", "max"),
    NEG("neg", "neg"),
    ABS("abs", "abs"),
    AND("and", null, true),
    OR("or", null, true),
    XOR("xor", null, true),
    SHL("shl", null, true),
    SHR("shr", null),
    MOV("mov", "mov"),
    SELECT("selp", "selp"),
    /** 2^x, relative error 2^-22. */
    EXP2(null, "ex2.approx"),
    /** 1/x, within one unit in the last place. */
    RECIPROCAL(null, "rcp.approx"),
    /** 1/√x, relative error 2^-22.9. */
    RSQRT(null, "rsqrt.approx"),
    /** Absolute error 2^-20.5 within ±π. */
    SIN(null, "sin.approx"),
    /** Absolute error 2^-20.9 within ±π. */
    COS(null, "cos.approx");

    private final String forIntegers;
    private final String forFloats;
    private final boolean bitwise;

    PtxOp(String forIntegers, String forFloats) {
        this(forIntegers, forFloats, false);
    }

    PtxOp(String forIntegers, String forFloats, boolean bitwise) {
        this.forIntegers = forIntegers;
        this.forFloats = forFloats;
        this.bitwise = bitwise;
    }

    /** The instruction's name with its type: {@code fma.rn.f32}. */
    String text(PtxType type) {
        String mnemonic = type.isFloat() ? forFloats : forIntegers;
        if (mnemonic == null) {
            throw new IllegalArgumentException(this + " has no form for " + type);
        }
        boolean plainBits = bitwise || type == PtxType.PRED || (this == MOV || this == SELECT) && type == PtxType.F16;
        return mnemonic + "." + (plainBits ? type.bitsSuffix() : type.suffix());
    }
}
