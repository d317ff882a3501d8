package kiln.kernels.emulator;

/**
 * Arithmetic of f16, bf16 and their pairs. Sums, products and quotients are computed in float, whose 24 bits are enough to round once more without harm
 * (24 >= 2*11+2); fma goes through numbers rounded to odd.
 */
final class HalfInstructions {
    interface Function {
        float apply(float a, float b, float c);
    }

    private HalfInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("rn", "ftz", "sat", "relu", "NaN", "approx");
        PtxType type = statement.type();
        boolean brain = type == PtxType.BF16 || type == PtxType.BF16X2;
        int sources = operands.count() - 1;
        int wanted = switch (statement.family()) {
            case "add", "sub", "mul", "min", "max" -> 2;
            case "fma" -> 3;
            default -> 1;
        };
        if (sources != wanted) {
            throw statement.error(statement.opcode() + " takes " + (wanted + 1) + " operands, found " + operands.count());
        }
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = wanted > 1 ? operands.source(2, type) : a;
        int c = wanted > 2 ? operands.source(3, type) : a;
        if (statement.family().equals("neg") || statement.family().equals("abs")) {
            boolean negate = statement.family().equals("neg");
            int signs = type.isPacked() ? 0x8000_8000 : 0x8000;
            return Lanes.unary((int[] dd, int[] aa) -> {
                for (int i = 0; i < 32; i++) {
                    dd[i] = negate ? aa[i] ^ signs : aa[i] & ~signs;
                }
            }, d, a);
        }
        Function function = limited(statement, function(statement));
        boolean packed = type.isPacked();
        boolean flush = statement.has("ftz");
        return Lanes.ternary((int[] dd, int[] aa, int[] bb, int[] cc) -> {
            for (int i = 0; i < 32; i++) {
                int low = apply(function, aa[i], bb[i], cc[i], brain, flush);
                dd[i] = packed ? low | apply(function, aa[i] >>> 16, bb[i] >>> 16, cc[i] >>> 16, brain, flush) << 16 : low;
            }
        }, d, a, b, c);
    }

    private static int apply(Function function, int a, int b, int c, boolean brain, boolean flush) {
        if (flush) {
            int result = apply(function, flush(a), flush(b), flush(c), brain, false);
            return flush(result);
        }
        return brain
                ? Half.bfloatFromFloat(function.apply(Half.bfloatToFloat(a), Half.bfloatToFloat(b), Half.bfloatToFloat(c)))
                : Half.fromFloat(function.apply(Half.toFloat(a), Half.toFloat(b), Half.toFloat(c)));
    }

    private static int flush(int bits) {
        return (bits & 0x7c00) == 0 ? bits & 0x8000 : bits;
    }

    static Function function(Statement statement) {
        boolean passNan = statement.has("NaN");
        return switch (statement.family()) {
            case "add" -> (a, b, c) -> a + b;
            case "sub" -> (a, b, c) -> a - b;
            case "mul" -> (a, b, c) -> a * b;
            case "min" -> (a, b, c) -> FloatInstructions.minimum(a, b, passNan);
            case "max" -> (a, b, c) -> FloatInstructions.maximum(a, b, passNan);
            case "fma" -> (a, b, c) -> Exact.oddFloat(Exact.sum((double) a * b, c));
            default -> {
                FloatInstructions.FloatUnary function = FloatInstructions.function(statement);
                yield (a, b, c) -> Exact.oddFloat(function.apply(a));
            }
        };
    }

    private static Function limited(Statement statement, Function function) {
        if (statement.has("sat")) {
            return (a, b, c) -> {
                float value = function.apply(a, b, c);
                return value > 0 ? Math.min(value, 1) : 0;
            };
        }
        if (statement.has("relu")) {
            return (a, b, c) -> {
                float value = function.apply(a, b, c);
                return Float.isNaN(value) ? value : Math.max(value, 0);
            };
        }
        return function;
    }
}
