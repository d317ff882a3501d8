package kiln.kernels.emulator;

import kiln.kernels.emulator.Lanes.Compare32;
import kiln.kernels.emulator.Lanes.Compare64;

/** Comparisons, selection and logic of predicates. */
final class PredicateInstructions {
    private PredicateInstructions() { }

    static Operation decode(Operands operands) {
        return switch (operands.statement.family()) {
            case "setp" -> setPredicate(operands);
            case "set" -> setRegister(operands);
            case "selp" -> select(operands);
            case "slct" -> selectBySign(operands);
            default -> testp(operands);
        };
    }

    /** Gives the mask of lanes where a comparison holds. */
    private interface Comparison {
        int of(Warp warp);
    }

    private static Comparison comparison(Operands operands, PtxType type, int first) {
        Statement statement = operands.statement;
        String compare = statement.parts().get(1);
        int a = operands.source(first, type);
        int b = operands.source(first + 1, type);
        if (type.bits == 64) {
            Compare64 function = type.isFloat() ? (x, y) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= holds(compare, Double.longBitsToDouble(x[i]), Double.longBitsToDouble(y[i])) ? 1 << i : 0;
                }
                return result;
            } : integers64(statement, compare, type.isSigned());
            return warp -> function.apply(warp.r64[a], warp.r64[b]);
        }
        Compare32 function = switch (type) {
            case F32 -> floats(statement, compare);
            case F16 -> (x, y) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= holds(compare, Half.toFloat(x[i]), Half.toFloat(y[i])) ? 1 << i : 0;
                }
                return result;
            };
            case BF16 -> (x, y) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= holds(compare, Half.bfloatToFloat(x[i]), Half.bfloatToFloat(y[i])) ? 1 << i : 0;
                }
                return result;
            };
            default -> {
                Compare32 whole = integers32(statement, compare, type.isSigned());
                boolean signed = type.isSigned();
                yield type.bits == 32 ? whole : (x, y) -> whole.apply(Lanes.extended16(x, signed), Lanes.extended16(y, signed));
            }
        };
        if (type.isFloat() && type != PtxType.F32) {
            checkCompare(statement, compare);
        }
        if (type == PtxType.F32 && statement.has("ftz")) {
            return warp -> function.apply(flushed(warp.r32[a]), flushed(warp.r32[b]));
        }
        return warp -> function.apply(warp.r32[a], warp.r32[b]);
    }

    private static int[] flushed(int[] a) {
        int[] flushed = new int[32];
        for (int i = 0; i < 32; i++) {
            flushed[i] = FloatInstructions.flush(a[i]);
        }
        return flushed;
    }

    private static void checkCompare(Statement statement, String compare) {
        switch (compare) {
            case "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan" -> { }
            default -> throw statement.error("unknown comparison ." + compare);
        }
    }

    private static boolean holds(String compare, double a, double b) {
        boolean unordered = Double.isNaN(a) || Double.isNaN(b);
        return switch (compare) {
            case "eq" -> a == b;
            case "ne" -> !unordered && a != b;
            case "lt" -> a < b;
            case "le" -> a <= b;
            case "gt" -> a > b;
            case "ge" -> a >= b;
            case "equ" -> unordered || a == b;
            case "neu" -> a != b;
            case "ltu" -> !(a >= b);
            case "leu" -> !(a > b);
            case "gtu" -> !(a <= b);
            case "geu" -> !(a < b);
            case "num" -> !unordered;
            default -> unordered;
        };
    }

    private static Compare32 floats(Statement statement, String compare) {
        checkCompare(statement, compare);
        return switch (compare) {
            case "lt" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= Float.intBitsToFloat(a[i]) < Float.intBitsToFloat(b[i]) ? 1 << i : 0;
                }
                return result;
            };
            case "gt" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= Float.intBitsToFloat(a[i]) > Float.intBitsToFloat(b[i]) ? 1 << i : 0;
                }
                return result;
            };
            default -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= holds(compare, Float.intBitsToFloat(a[i]), Float.intBitsToFloat(b[i])) ? 1 << i : 0;
                }
                return result;
            };
        };
    }

    private static Compare32 integers32(Statement statement, String compare, boolean signed) {
        int flip = signed && !isUnsigned(compare) ? 0 : Integer.MIN_VALUE;
        return switch (compare) {
            case "eq" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= a[i] == b[i] ? 1 << i : 0;
                }
                return result;
            };
            case "ne" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= a[i] != b[i] ? 1 << i : 0;
                }
                return result;
            };
            case "lt", "lo" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= (a[i] ^ flip) < (b[i] ^ flip) ? 1 << i : 0;
                }
                return result;
            };
            case "le", "ls" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= (a[i] ^ flip) <= (b[i] ^ flip) ? 1 << i : 0;
                }
                return result;
            };
            case "gt", "hi" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= (a[i] ^ flip) > (b[i] ^ flip) ? 1 << i : 0;
                }
                return result;
            };
            case "ge", "hs" -> (a, b) -> {
                int result = 0;
                for (int i = 0; i < 32; i++) {
                    result |= (a[i] ^ flip) >= (b[i] ^ flip) ? 1 << i : 0;
                }
                return result;
            };
            default -> throw statement.error("unknown comparison ." + compare);
        };
    }

    private static boolean isUnsigned(String compare) {
        return compare.equals("lo") || compare.equals("ls") || compare.equals("hi") || compare.equals("hs");
    }

    private static Compare64 integers64(Statement statement, String compare, boolean signed) {
        long flip = signed && !isUnsigned(compare) ? 0 : Long.MIN_VALUE;
        switch (compare) {
            case "eq", "ne", "lt", "lo", "le", "ls", "gt", "hi", "ge", "hs" -> { }
            default -> throw statement.error("unknown comparison ." + compare);
        }
        return (a, b) -> {
            int result = 0;
            for (int i = 0; i < 32; i++) {
                int order = Long.compare(a[i] ^ flip, b[i] ^ flip);
                boolean holds = switch (compare) {
                    case "eq" -> order == 0;
                    case "ne" -> order != 0;
                    case "lt", "lo" -> order < 0;
                    case "le", "ls" -> order <= 0;
                    case "gt", "hi" -> order > 0;
                    default -> order >= 0;
                };
                result |= holds ? 1 << i : 0;
            }
            return result;
        };
    }

    private static Operation setPredicate(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan",
                "and", "or", "xor", "ftz");
        boolean combined = statement.has("and") || statement.has("or") || statement.has("xor");
        statement.expectOperands(combined ? 4 : 3, combined ? 4 : 3);
        Operand first = operands.at(0);
        PtxType type = statement.type();
        boolean pair = first.kind() == Operand.Kind.PAIR;
        int p = operands.target(pair ? first.elements().get(0) : first, PtxType.PRED, false);
        int q = pair ? operands.target(first.elements().get(1), PtxType.PRED, false) : -1;
        if (type.isPacked()) {
            return packed(operands, p, q, type == PtxType.BF16X2);
        }
        Comparison comparison = comparison(operands, type, 1);
        if (!combined && !pair) {
            return (warp, mask) -> warp.setPredicate(p, comparison.of(warp), mask);
        }
        int c = combined ? operands.predicate(3) : 0;
        String logic = combined ? statement.has("and") ? "and" : statement.has("or") ? "or" : "xor" : "";
        return (warp, mask) -> {
            int holds = comparison.of(warp);
            int other = combined ? warp.predicate(c) : 0;
            warp.setPredicate(p, combine(logic, holds, other), mask);
            if (q >= 0) {
                warp.setPredicate(q, combine(logic, ~holds, other), mask);
            }
        };
    }

    private static Operation packed(Operands operands, int p, int q, boolean brain) {
        Statement statement = operands.statement;
        String compare = statement.parts().get(1);
        checkCompare(statement, compare);
        if (q < 0 || statement.operands().size() != 3) {
            throw statement.unknown();
        }
        int a = operands.source(1, PtxType.F16X2);
        int b = operands.source(2, PtxType.F16X2);
        return (warp, mask) -> {
            int low = 0;
            int high = 0;
            for (int i = 0; i < 32; i++) {
                int x = warp.r32[a][i];
                int y = warp.r32[b][i];
                low |= holds(compare, value(x, brain), value(y, brain)) ? 1 << i : 0;
                high |= holds(compare, value(x >>> 16, brain), value(y >>> 16, brain)) ? 1 << i : 0;
            }
            warp.setPredicate(p, low, mask);
            warp.setPredicate(q, high, mask);
        };
    }

    private static float value(int bits, boolean brain) {
        return brain ? Half.bfloatToFloat(bits) : Half.toFloat(bits);
    }

    private static int combine(String logic, int a, int b) {
        return switch (logic) {
            case "and" -> a & b;
            case "or" -> a | b;
            case "xor" -> a ^ b;
            default -> a;
        };
    }

    private static Operation setRegister(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(3, 3);
        PtxType result = statement.types().get(0);
        if (result.bits != 32 || statement.types().size() != 2) {
            throw statement.unknown();
        }
        Comparison comparison = comparison(operands, statement.type(), 1);
        int d = operands.target(0, result);
        int yes = result == PtxType.F32 ? Float.floatToRawIntBits(1) : -1;
        return (warp, mask) -> {
            int holds = comparison.of(warp);
            int[] target = warp.begin32(d, mask);
            for (int i = 0; i < 32; i++) {
                target[i] = (holds >>> i & 1) != 0 ? yes : 0;
            }
            warp.end32(d, mask);
        };
    }

    private static Operation select(Operands operands) {
        Statement statement = operands.statement;
        statement.allow();
        statement.expectOperands(4, 4);
        PtxType type = statement.type();
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = operands.source(2, type);
        // The one that is not selected may be anything.
        operands.use.forgetReads();
        int p = operands.predicate(3);
        if (type.bits == 64) {
            return (warp, mask) -> {
                int yes = warp.predicate(p);
                long[] target = warp.begin64(d, mask);
                long[] x = warp.r64[a];
                long[] y = warp.r64[b];
                for (int i = 0; i < 32; i++) {
                    target[i] = (yes >>> i & 1) != 0 ? x[i] : y[i];
                }
                warp.end64(d, mask);
            };
        }
        return (warp, mask) -> {
            int yes = warp.predicate(p);
            int[] target = warp.begin32(d, mask);
            int[] x = warp.r32[a];
            int[] y = warp.r32[b];
            for (int i = 0; i < 32; i++) {
                target[i] = (yes >>> i & 1) != 0 ? x[i] : y[i];
            }
            warp.end32(d, mask);
        };
    }

    private static Operation selectBySign(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("ftz");
        statement.expectOperands(4, 4);
        PtxType type = statement.types().get(0);
        PtxType by = statement.type();
        if (type.bits != 32 || by.bits != 32) {
            throw statement.unknown();
        }
        boolean floating = by == PtxType.F32;
        return Lanes.ternary((int[] d, int[] a, int[] b, int[] c) -> {
            for (int i = 0; i < 32; i++) {
                d[i] = (floating ? Float.intBitsToFloat(c[i]) >= 0 : c[i] >= 0) ? a[i] : b[i];
            }
        }, operands.target(0, type), operands.source(1, type), operands.source(2, type), operands.source(3, by));
    }

    private static Operation testp(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(2, 2);
        if (statement.type() != PtxType.F32) {
            throw statement.unknown();
        }
        String test = statement.parts().get(1);
        int p = operands.target(0, PtxType.PRED);
        int a = operands.source(1, PtxType.F32);
        switch (test) {
            case "finite", "infinite", "number", "notanumber", "normal", "subnormal" -> { }
            default -> throw statement.unknown();
        }
        return (warp, mask) -> {
            int result = 0;
            for (int i = 0; i < 32; i++) {
                float value = Float.intBitsToFloat(warp.r32[a][i]);
                boolean small = Math.abs(value) < Float.MIN_NORMAL;
                boolean holds = switch (test) {
                    case "finite" -> Float.isFinite(value);
                    case "infinite" -> Float.isInfinite(value);
                    case "number" -> !Float.isNaN(value);
                    case "notanumber" -> Float.isNaN(value);
                    case "normal" -> Float.isFinite(value) && !small;
                    default -> small && value != 0;
                };
                result |= holds ? 1 << i : 0;
            }
            warp.setPredicate(p, result, mask);
        };
    }

    /** and, or, xor, not and mov of predicates. */
    static Operation logic(Operands operands) {
        Statement statement = operands.statement;
        int p = operands.target(0, PtxType.PRED);
        int a = operands.predicate(1);
        if (statement.family().equals("mov") || statement.family().equals("not")) {
            boolean negate = statement.family().equals("not");
            return (warp, mask) -> warp.setPredicate(p, negate ? ~warp.predicate(a) : warp.predicate(a), mask);
        }
        int b = operands.predicate(2);
        String logic = statement.family();
        return (warp, mask) -> warp.setPredicate(p, combine(logic, warp.predicate(a), warp.predicate(b)), mask);
    }
}
