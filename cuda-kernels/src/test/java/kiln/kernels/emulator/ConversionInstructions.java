package kiln.kernels.emulator;

import static java.lang.Float.floatToRawIntBits;
import static java.lang.Float.intBitsToFloat;

/** cvt between all integer and floating-point types, with PTX's roundings, saturation and treatment of NaN. */
final class ConversionInstructions {
    private ConversionInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi", "ftz", "sat", "relu");
        if (statement.types().size() != 2) {
            throw statement.error("cvt needs two types");
        }
        PtxType to = statement.types().get(0);
        PtxType from = statement.types().get(1);
        if (to.isPacked()) {
            return pack(operands, to, from);
        }
        if (to == PtxType.PRED || from == PtxType.PRED || from.isPacked()) {
            throw statement.unknown();
        }
        statement.expectOperands(2, 2);
        if (needsRounding(to, from) && Rounding.of(statement, null) == null) {
            throw statement.error(statement.opcode() + " needs a rounding modifier");
        }
        int d = operands.target(operands.at(0), to, to.isInteger());
        int targetBits = operands.at(0).kind() == Operand.Kind.SINK ? to.bits : operands.register(operands.at(0)).type.bits;
        Operand source = operands.at(1);
        int a = operands.source(source, from, from.isInteger());
        Register register = operands.scope.register(source.name());
        boolean wideSource = register == null ? from.bits == 64 : register.type.bits == 64;
        boolean plain = !statement.has("sat") && !statement.has("ftz") && !statement.has("relu");
        Operation fast = plain ? common(statement, to, from, d, a, targetBits, wideSource) : null;
        return fast != null ? fast : general(statement, to, from, d, a, targetBits, wideSource);
    }

    /** From a float type to another one that cannot hold all its values, or between integers and floats, PTX wants the direction named. */
    private static boolean needsRounding(PtxType to, PtxType from) {
        if (to.isInteger() && from.isInteger()) {
            return false;
        }
        if (to.isFloat() && from.isFloat()) {
            return to.bits < from.bits || to.bits == 16 && to != from;
        }
        return true;
    }

    private static Operation common(Statement statement, PtxType to, PtxType from, int d, int a, int targetBits, boolean wideSource) {
        Rounding rounding = Rounding.of(statement, Rounding.NEAREST);
        boolean whole = statement.parts().stream().anyMatch(part -> part.length() == 3 && part.startsWith("r") && part.endsWith("i"));
        if (from == PtxType.F16 && to == PtxType.F32 && !whole) {
            return Lanes.unary((int[] dd, int[] aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = floatToRawIntBits(Half.toFloat(aa[i]));
                }
            }, d, a);
        }
        if (from == PtxType.F32 && to == PtxType.F16 && rounding == Rounding.NEAREST && !whole) {
            return Lanes.unary((int[] dd, int[] aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = Half.fromFloat(intBitsToFloat(aa[i]));
                }
            }, d, a);
        }
        if (from.isInteger() && from.bits == 32 && to.isInteger() && to.bits == 64 && !wideSource) {
            return from.isSigned() ? Lanes.widen((dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i];
                }
            }, d, a) : Lanes.widen((dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = aa[i] & 0xffff_ffffL;
                }
            }, d, a);
        }
        if (from.isInteger() && from.bits == 64 && to.isInteger() && to.bits == 32 && targetBits == 32) {
            return Lanes.narrow((dd, aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = (int) aa[i];
                }
            }, d, a);
        }
        if (from == PtxType.S32 && to == PtxType.F32 && rounding == Rounding.NEAREST && !wideSource) {
            return Lanes.unary((int[] dd, int[] aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = floatToRawIntBits((float) aa[i]);
                }
            }, d, a);
        }
        return null;
    }

    private static Operation general(Statement statement, PtxType to, PtxType from, int d, int a, int targetBits, boolean wideSource) {
        Rounding rounding = Rounding.of(statement, Rounding.NEAREST);
        boolean whole = to.isFloat() && from.isFloat()
                && statement.parts().stream().anyMatch(part -> part.length() == 3 && part.startsWith("r") && part.endsWith("i"));
        boolean saturate = statement.has("sat");
        boolean relu = statement.has("relu");
        boolean flush = statement.has("ftz");
        return (warp, mask) -> {
            int[] narrow = targetBits == 64 ? null : warp.begin32(d, mask);
            long[] wide = targetBits == 64 ? warp.begin64(d, mask) : null;
            for (int i = 0; i < 32; i++) {
                long bits = wideSource ? warp.r64[a][i] : warp.r32[a][i];
                long result;
                if (from.isInteger()) {
                    long value = extended(bits, from);
                    result = to.isInteger() ? integer(value, from, to, saturate) : fromInteger(value, from, to, rounding, saturate);
                } else {
                    if (flush && from == PtxType.F32) {
                        bits = FloatInstructions.flush((int) bits);
                    }
                    double value = value(bits, from);
                    if (to.isInteger()) {
                        result = toInteger(value, from, to, rounding);
                    } else {
                        double limited = relu && value < 0 ? 0 : saturate ? value > 0 ? Math.min(value, 1) : 0 : value;
                        result = bits(whole ? rounding.whole(limited) : limited, to, rounding);
                        if (flush && to == PtxType.F32) {
                            result = FloatInstructions.flush((int) result);
                        }
                    }
                }
                if (wide != null) {
                    wide[i] = to.bits == 64 ? result : extended(result, to);
                } else {
                    narrow[i] = targetBits == 16 ? (int) extended(result, to) & 0xffff : (int) (to.isInteger() ? extended(result, to) : result);
                }
            }
            if (wide != null) {
                warp.end64(d, mask);
            } else {
                warp.end32(d, mask);
            }
        };
    }

    private static long extended(long bits, PtxType type) {
        return switch (type.bits) {
            case 8 -> type.isSigned() ? (byte) bits : bits & 0xff;
            case 16 -> type.isSigned() ? (short) bits : bits & 0xffff;
            case 32 -> type.isSigned() ? (int) bits : bits & 0xffff_ffffL;
            default -> bits;
        };
    }

    private static long integer(long value, PtxType from, PtxType to, boolean saturate) {
        if (!saturate) {
            return value;
        }
        boolean huge = from == PtxType.U64 && value < 0;
        if (to.bits == 64) {
            return to.isSigned() ? huge ? Long.MAX_VALUE : value : value < 0 && !huge ? 0 : value;
        }
        long least = to.isSigned() ? -(1L << to.bits - 1) : 0;
        long most = to.isSigned() ? (1L << to.bits - 1) - 1 : (1L << to.bits) - 1;
        return huge ? most : Math.max(least, Math.min(most, value));
    }

    private static long fromInteger(long value, PtxType from, PtxType to, Rounding rounding, boolean saturate) {
        // Above 2^53 a double keeps 52 bits and one that tells whether anything was cut, which rounds to a shorter format rightly.
        boolean unsigned64 = from.bits == 64 && !from.isSigned();
        long kept = (value > 1L << 53 || value < -(1L << 53)) && to != PtxType.F64 && (value & 0xfff) != 0 ? value & ~0xfffL | 0x1000 : value;
        double exact = unsigned64 && kept < 0 ? ((kept >>> 1) | (kept & 1)) * 2.0 : kept;
        return bits(saturate ? Math.max(0, Math.min(1, exact)) : exact, to, rounding);
    }

    private static long toInteger(double value, PtxType from, PtxType to, Rounding rounding) {
        if (Double.isNaN(value)) {
            return from == PtxType.F64 || to.bits == 64 ? 1L << to.bits - 1 : 0;
        }
        double whole = rounding.whole(value);
        if (to == PtxType.U64 || to == PtxType.B64) {
            return whole <= 0 ? 0 : whole >= 0x1p64 ? -1 : whole >= 0x1p63 ? (long) (whole - 0x1p63) ^ Long.MIN_VALUE : (long) whole;
        }
        if (to.bits == 64) {
            return (long) whole;
        }
        double least = to.isSigned() ? -Math.scalb(1.0, to.bits - 1) : 0;
        double most = Math.scalb(1.0, to.isSigned() ? to.bits - 1 : to.bits) - 1;
        return (long) Math.max(least, Math.min(most, whole));
    }

    static double value(long bits, PtxType type) {
        return switch (type) {
            case F16 -> Half.toFloat((int) bits);
            case BF16 -> Half.bfloatToFloat((int) bits);
            case F32 -> intBitsToFloat((int) bits);
            default -> Double.longBitsToDouble(bits);
        };
    }

    static long bits(double value, PtxType type, Rounding rounding) {
        return switch (type) {
            case F16 -> SmallFloat.FLOAT16.encode(value, rounding);
            case BF16 -> SmallFloat.BFLOAT16.encode(value, rounding);
            case F32 -> floatToRawIntBits((float) (rounding == Rounding.NEAREST ? value : SmallFloat.FLOAT32.round(value, rounding))) & 0xffff_ffffL;
            default -> Double.doubleToRawLongBits(value);
        };
    }

    /** {@code cvt.rn.f16x2.f32 d, a, b}: a goes to the upper half. */
    private static Operation pack(Operands operands, PtxType to, PtxType from) {
        Statement statement = operands.statement;
        statement.expectOperands(3, 3);
        if (from != PtxType.F32) {
            throw statement.unknown();
        }
        Rounding rounding = Rounding.of(statement, null);
        if (rounding == null) {
            throw statement.error(statement.opcode() + " needs a rounding modifier");
        }
        boolean relu = statement.has("relu");
        boolean half = to == PtxType.F16X2;
        PtxType part = half ? PtxType.F16 : PtxType.BF16;
        return Lanes.binary((int[] d, int[] a, int[] b) -> {
            for (int i = 0; i < 32; i++) {
                float high = intBitsToFloat(a[i]);
                float low = intBitsToFloat(b[i]);
                if (relu) {
                    high = high < 0 ? 0 : high;
                    low = low < 0 ? 0 : low;
                }
                if (rounding == Rounding.NEAREST) {
                    d[i] = half ? Half.fromFloat(high) << 16 | Half.fromFloat(low) : Half.bfloatFromFloat(high) << 16 | Half.bfloatFromFloat(low);
                } else {
                    d[i] = (int) (bits(high, part, rounding) << 16 | bits(low, part, rounding));
                }
            }
        }, operands.target(0, to), operands.source(1, PtxType.F32), operands.source(2, PtxType.F32));
    }
}
