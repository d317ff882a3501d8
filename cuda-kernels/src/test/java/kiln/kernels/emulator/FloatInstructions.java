package kiln.kernels.emulator;

import static java.lang.Float.floatToRawIntBits;
import static java.lang.Float.intBitsToFloat;

import kiln.kernels.emulator.Lanes.Binary32;
import kiln.kernels.emulator.Lanes.Ternary32;
import kiln.kernels.emulator.Lanes.Unary32;

/**
 * Arithmetic of f32 and f64. Rounded as IEEE 754 asks where PTX does; the approximate functions give the rounded exact value, which a card comes near to.
 */
final class FloatInstructions {
    private static final String[] MODIFIERS = {"rn", "rz", "rm", "rp", "ftz", "sat", "approx", "full", "NaN"};

    interface FloatUnary {
        double apply(double a);
    }

    private FloatInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        statement.allow(MODIFIERS);
        PtxType type = statement.type();
        if (type == PtxType.F64) {
            return double64(operands);
        }
        return switch (statement.family()) {
            case "add", "sub", "mul", "div", "min", "max", "copysign" -> {
                statement.expectOperands(3, 3);
                Binary32 function = binary(statement);
                yield Lanes.binary(statement.has("ftz") ? flushing(function) : function,
                        operands.target(0, type), operands.source(1, type), operands.source(2, type));
            }
            case "fma", "mad" -> {
                statement.expectOperands(4, 4);
                Ternary32 function = fused(statement);
                yield Lanes.ternary(statement.has("ftz") ? flushing(function) : function,
                        operands.target(0, type), operands.source(1, type), operands.source(2, type), operands.source(3, type));
            }
            default -> {
                statement.expectOperands(2, 2);
                Unary32 function = unary(statement);
                yield Lanes.unary(statement.has("ftz") ? flushing(function) : function, operands.target(0, type), operands.source(1, type));
            }
        };
    }

    private static Binary32 binary(Statement statement) {
        Rounding rounding = Rounding.of(statement, Rounding.NEAREST);
        if (rounding != Rounding.NEAREST) {
            return saturating(statement, directed(statement, rounding));
        }
        boolean passNan = statement.has("NaN");
        Binary32 function = switch (statement.family()) {
            case "add" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(intBitsToFloat(a[i]) + intBitsToFloat(b[i]));
                }
            };
            case "sub" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(intBitsToFloat(a[i]) - intBitsToFloat(b[i]));
                }
            };
            case "mul" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(intBitsToFloat(a[i]) * intBitsToFloat(b[i]));
                }
            };
            case "div" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(intBitsToFloat(a[i]) / intBitsToFloat(b[i]));
                }
            };
            case "min" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(minimum(intBitsToFloat(a[i]), intBitsToFloat(b[i]), passNan));
                }
            };
            case "max" -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(maximum(intBitsToFloat(a[i]), intBitsToFloat(b[i]), passNan));
                }
            };
            default -> (d, a, b) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = b[i] & 0x7fff_ffff | a[i] & 0x8000_0000;
                }
            };
        };
        return saturating(statement, function);
    }

    static float minimum(float a, float b, boolean passNan) {
        return passNan ? Math.min(a, b) : Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b);
    }

    static float maximum(float a, float b, boolean passNan) {
        return passNan ? Math.max(a, b) : Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.max(a, b);
    }

    /** Products are exact in double and sums are kept odd where they are not, so that the second rounding is the only one. */
    private static Binary32 directed(Statement statement, Rounding rounding) {
        String family = statement.family();
        return (d, a, b) -> {
            for (int i = 0; i < 32; i++) {
                double x = intBitsToFloat(a[i]);
                double y = intBitsToFloat(b[i]);
                double exact = switch (family) {
                    case "add" -> Exact.sum(x, y);
                    case "sub" -> Exact.sum(x, -y);
                    case "mul" -> x * y;
                    case "div" -> Exact.quotient(x, y);
                    default -> throw statement.unknown();
                };
                d[i] = floatToRawIntBits((float) SmallFloat.FLOAT32.round(exact, rounding));
            }
        };
    }

    private static Ternary32 fused(Statement statement) {
        Rounding rounding = Rounding.of(statement, Rounding.NEAREST);
        Ternary32 function = rounding == Rounding.NEAREST ? (d, a, b, c) -> {
            for (int i = 0; i < 32; i++) {
                d[i] = floatToRawIntBits(Math.fma(intBitsToFloat(a[i]), intBitsToFloat(b[i]), intBitsToFloat(c[i])));
            }
        } : (d, a, b, c) -> {
            for (int i = 0; i < 32; i++) {
                double exact = Exact.sum((double) intBitsToFloat(a[i]) * intBitsToFloat(b[i]), intBitsToFloat(c[i]));
                d[i] = floatToRawIntBits((float) SmallFloat.FLOAT32.round(exact, rounding));
            }
        };
        return !statement.has("sat") ? function : (d, a, b, c) -> {
            function.apply(d, a, b, c);
            saturate(d);
        };
    }

    private static Unary32 unary(Statement statement) {
        return switch (statement.family()) {
            case "neg" -> (d, a) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] ^ 0x8000_0000;
                }
            };
            case "abs" -> (d, a) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = a[i] & 0x7fff_ffff;
                }
            };
            case "sqrt" -> (d, a) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits((float) Math.sqrt(intBitsToFloat(a[i])));
                }
            };
            case "rcp" -> (d, a) -> {
                for (int i = 0; i < 32; i++) {
                    d[i] = floatToRawIntBits(1 / intBitsToFloat(a[i]));
                }
            };
            default -> {
                FloatUnary function = function(statement);
                yield (d, a) -> {
                    for (int i = 0; i < 32; i++) {
                        d[i] = floatToRawIntBits((float) function.apply(intBitsToFloat(a[i])));
                    }
                };
            }
        };
    }

    static FloatUnary function(Statement statement) {
        return switch (statement.family()) {
            case "rsqrt" -> a -> 1 / Math.sqrt(a);
            case "ex2" -> a -> Math.pow(2, a);
            case "lg2" -> a -> {
                double exact = Math.log(a) / Math.log(2);
                double near = Math.rint(exact);
                // Powers of two come out whole.
                return Math.abs(near) < 1100 && Math.pow(2, near) == a ? near : exact;
            };
            case "sin" -> Math::sin;
            case "cos" -> Math::cos;
            case "tanh" -> Math::tanh;
            default -> throw statement.unknown();
        };
    }

    private static Binary32 saturating(Statement statement, Binary32 function) {
        return !statement.has("sat") ? function : (d, a, b) -> {
            function.apply(d, a, b);
            saturate(d);
        };
    }

    private static void saturate(int[] d) {
        for (int i = 0; i < 32; i++) {
            float value = intBitsToFloat(d[i]);
            d[i] = floatToRawIntBits(value > 0 ? Math.min(value, 1) : 0);
        }
    }

    private static int[] flushed(int[] a) {
        int[] flushed = new int[32];
        for (int i = 0; i < 32; i++) {
            flushed[i] = flush(a[i]);
        }
        return flushed;
    }

    /** A subnormal number's bits become a zero of its sign. */
    static int flush(int bits) {
        return (bits & 0x7f80_0000) == 0 ? bits & 0x8000_0000 : bits;
    }

    private static void flushInPlace(int[] d) {
        for (int i = 0; i < 32; i++) {
            d[i] = flush(d[i]);
        }
    }

    private static Unary32 flushing(Unary32 function) {
        return (d, a) -> {
            function.apply(d, flushed(a));
            flushInPlace(d);
        };
    }

    private static Binary32 flushing(Binary32 function) {
        return (d, a, b) -> {
            function.apply(d, flushed(a), flushed(b));
            flushInPlace(d);
        };
    }

    private static Ternary32 flushing(Ternary32 function) {
        return (d, a, b, c) -> {
            function.apply(d, flushed(a), flushed(b), flushed(c));
            flushInPlace(d);
        };
    }

    interface Double64 {
        double apply(double a, double b, double c);
    }

    private static Operation double64(Operands operands) {
        Statement statement = operands.statement;
        if (Rounding.of(statement, Rounding.NEAREST) != Rounding.NEAREST) {
            throw statement.unknown();
        }
        Double64 function = switch (statement.family()) {
            case "add" -> (a, b, c) -> a + b;
            case "sub" -> (a, b, c) -> a - b;
            case "mul" -> (a, b, c) -> a * b;
            case "div" -> (a, b, c) -> a / b;
            case "fma", "mad" -> (a, b, c) -> Math.fma(a, b, c);
            case "min" -> (a, b, c) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b);
            case "max" -> (a, b, c) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
            case "neg" -> (a, b, c) -> -a;
            case "abs" -> (a, b, c) -> Math.abs(a);
            case "sqrt" -> (a, b, c) -> Math.sqrt(a);
            case "rcp" -> (a, b, c) -> 1 / a;
            default -> throw statement.unknown();
        };
        int sources = operands.count() - 1;
        int d = operands.target(0, PtxType.F64);
        int a = operands.source(1, PtxType.F64);
        int b = sources > 1 ? operands.source(2, PtxType.F64) : a;
        int c = sources > 2 ? operands.source(3, PtxType.F64) : a;
        return Lanes.ternary((long[] dd, long[] aa, long[] bb, long[] cc) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = Double.doubleToRawLongBits(function.apply(Double.longBitsToDouble(aa[i]), Double.longBitsToDouble(bb[i]),
                        Double.longBitsToDouble(cc[i])));
            }
        }, d, a, b, c);
    }
}
