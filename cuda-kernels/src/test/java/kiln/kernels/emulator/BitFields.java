package kiln.kernels.emulator;

import kiln.kernels.emulator.Lanes.Ternary32;

/** Bit field extraction and insertion, byte permutation, funnel shift, three-input logic, byte dot product. */
final class BitFields {
    private BitFields() { }

    static Operation decode(Operands operands, PtxType type) {
        Statement statement = operands.statement;
        if (type.bits != 32 && !(type.bits == 64 && statement.family().startsWith("bf"))) {
            throw statement.unknown();
        }
        return switch (statement.family()) {
            case "bfe" -> extract(operands, type);
            case "bfi" -> insert(operands, type);
            case "prmt" -> permute(operands);
            case "shf" -> funnel(operands);
            case "lop3" -> logic(operands);
            case "dp4a" -> dot(operands);
            default -> throw statement.unknown();
        };
    }

    private static Operation extract(Operands operands, PtxType type) {
        operands.statement.expectOperands(4, 4);
        operands.statement.allow();
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = operands.source(2, PtxType.U32);
        int c = operands.source(3, PtxType.U32);
        boolean signed = type.isSigned();
        if (type.bits == 64) {
            return (warp, mask) -> {
                long[] result = warp.begin64(d, mask);
                for (int i = 0; i < 32; i++) {
                    result[i] = extract(warp.r64[a][i], warp.r32[b][i] & 0xff, warp.r32[c][i] & 0xff, 64, signed);
                }
                warp.end64(d, mask);
            };
        }
        return Lanes.ternary((int[] dd, int[] aa, int[] bb, int[] cc) -> {
            for (int i = 0; i < 32; i++) {
                long value = signed ? aa[i] : aa[i] & 0xffff_ffffL;
                dd[i] = (int) extract(value, bb[i] & 0xff, cc[i] & 0xff, 32, signed);
            }
        }, d, a, b, c);
    }

    private static long extract(long value, int position, int length, int width, boolean signed) {
        if (length == 0) {
            return 0;
        }
        int top = Math.min(position + length - 1, width - 1);
        if (position >= width) {
            return signed && value < 0 ? -1 : 0;
        }
        long shifted = value << 63 - top;
        int kept = 63 - top + position;
        return signed ? shifted >> kept : shifted >>> kept;
    }

    private static Operation insert(Operands operands, PtxType type) {
        operands.statement.expectOperands(5, 5);
        operands.statement.allow();
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int b = operands.source(2, type);
        int c = operands.source(3, PtxType.U32);
        int e = operands.source(4, PtxType.U32);
        if (type.bits == 64) {
            return (warp, mask) -> {
                long[] result = warp.begin64(d, mask);
                for (int i = 0; i < 32; i++) {
                    result[i] = insert(warp.r64[a][i], warp.r64[b][i], warp.r32[c][i] & 0xff, warp.r32[e][i] & 0xff, 64);
                }
                warp.end64(d, mask);
            };
        }
        return (warp, mask) -> {
            int[] result = warp.begin32(d, mask);
            for (int i = 0; i < 32; i++) {
                result[i] = (int) insert(warp.r32[a][i], warp.r32[b][i], warp.r32[c][i] & 0xff, warp.r32[e][i] & 0xff, 32);
            }
            warp.end32(d, mask);
        };
    }

    private static long insert(long field, long base, int position, int length, int width) {
        if (length == 0 || position >= width) {
            return base;
        }
        int bits = Math.min(length, width - position);
        long ones = (bits == 64 ? -1L : (1L << bits) - 1) << position;
        return base & ~ones | field << position & ones;
    }

    private static Operation permute(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(4, 4);
        statement.allow("f4e", "b4e", "rc8", "ecl", "ecr", "rc16");
        String mode = statement.parts().get(statement.parts().size() - 1);
        return Lanes.ternary((int[] d, int[] a, int[] b, int[] c) -> {
            for (int i = 0; i < 32; i++) {
                d[i] = permute(a[i], b[i], c[i], mode);
            }
        }, operands.target(0, PtxType.B32), operands.source(1, PtxType.B32), operands.source(2, PtxType.B32), operands.source(3, PtxType.B32));
    }

    private static int permute(int a, int b, int selector, String mode) {
        long bytes = (long) b << 32 | a & 0xffff_ffffL;
        int from = selector & 3;
        int result = 0;
        for (int i = 0; i < 4; i++) {
            int pick = switch (mode) {
                case "f4e" -> from + i & 7;
                case "b4e" -> from - i & 7;
                case "rc8" -> from;
                case "ecl" -> Math.max(i, from);
                case "ecr" -> Math.min(i, from);
                case "rc16" -> (from & 1) * 2 + (i & 1);
                default -> selector >>> 4 * i & 15;
            };
            int value = (int) (bytes >>> 8 * (pick & 7)) & 0xff;
            if ((pick & 8) != 0) {
                value = (value & 0x80) != 0 ? 0xff : 0;
            }
            result |= value << 8 * i;
        }
        return result;
    }

    private static Operation funnel(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(4, 4);
        statement.allow("l", "r", "clamp", "wrap");
        boolean left = statement.has("l");
        boolean clamp = statement.has("clamp");
        Ternary32 function = (d, a, b, c) -> {
            for (int i = 0; i < 32; i++) {
                int amount = clamp ? Integer.compareUnsigned(c[i], 32) > 0 ? 32 : c[i] : c[i] & 31;
                long both = (long) b[i] << 32 | a[i] & 0xffff_ffffL;
                d[i] = left ? (int) (both << amount >>> 32) : (int) (both >>> amount);
            }
        };
        return Lanes.ternary(function, operands.target(0, PtxType.B32), operands.source(1, PtxType.B32), operands.source(2, PtxType.B32),
                operands.source(3, PtxType.B32));
    }

    private static Operation logic(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(5, 5);
        statement.allow();
        if (operands.at(4).kind() != Operand.Kind.INTEGER) {
            throw statement.error("lop3 needs its table as a number");
        }
        int table = (int) operands.at(4).value();
        return Lanes.ternary((int[] d, int[] a, int[] b, int[] c) -> {
            for (int i = 0; i < 32; i++) {
                int result = 0;
                for (int row = 0; row < 8; row++) {
                    if ((table >>> row & 1) != 0) {
                        result |= ((row & 4) != 0 ? a[i] : ~a[i]) & ((row & 2) != 0 ? b[i] : ~b[i]) & ((row & 1) != 0 ? c[i] : ~c[i]);
                    }
                }
                d[i] = result;
            }
        }, operands.target(0, PtxType.B32), operands.source(1, PtxType.B32), operands.source(2, PtxType.B32), operands.source(3, PtxType.B32));
    }

    private static Operation dot(Operands operands) {
        Statement statement = operands.statement;
        statement.expectOperands(4, 4);
        statement.allow();
        boolean signedA = statement.types().get(0).isSigned();
        boolean signedB = statement.types().get(1).isSigned();
        return Lanes.ternary((int[] d, int[] a, int[] b, int[] c) -> {
            for (int i = 0; i < 32; i++) {
                int sum = c[i];
                for (int shift = 0; shift < 32; shift += 8) {
                    int x = signedA ? (byte) (a[i] >> shift) : a[i] >> shift & 0xff;
                    int y = signedB ? (byte) (b[i] >> shift) : b[i] >> shift & 0xff;
                    sum += x * y;
                }
                d[i] = sum;
            }
        }, operands.target(0, PtxType.B32), operands.source(1, PtxType.B32), operands.source(2, PtxType.B32), operands.source(3, PtxType.B32));
    }
}
