package kiln.kernels.emulator;

import java.util.List;
import kiln.kernels.emulator.MemoryInstructions.Address;
import kiln.kernels.emulator.Variable.Space;

/**
 * mma.sync m16n8k8 and m16n8k16 of halves, and ldmatrix. Fragments lie as the PTX ISA ("Matrix Fragments for mma.m16n8k16 with floating point type")
 * has them: with group = lane / 4 and member = lane % 4, a register of A holds two neighbours of a row, (group or group + 8, 2*member and the next, plus 8 in
 * the second half of k); one of B two neighbours of a column; C and D lie as A does, over 8 columns.
 * Products of halves are exact; each sum is taken in double and rounded once, which a card's own (not specified) order comes near to.
 */
final class MatrixInstructions {
    private static final int ROWS = 16;
    private static final int COLUMNS = 8;

    private MatrixInstructions() { }

    static Operation multiply(Operands operands) {
        Statement statement = operands.statement;
        List<String> parts = statement.parts();
        if (parts.size() != 10 || !parts.get(1).equals("sync") || !parts.get(2).equals("aligned")) {
            throw statement.unknown();
        }
        int depth = switch (parts.get(3)) {
            case "m16n8k8" -> 8;
            case "m16n8k16" -> 16;
            default -> throw statement.unknown();
        };
        List<PtxType> types = statement.types();
        if (!parts.get(4).equals("row") || !parts.get(5).equals("col") || types.size() != 4) {
            throw statement.unknown();
        }
        PtxType input = types.get(1);
        PtxType result = types.get(0);
        boolean brain = input == PtxType.BF16;
        boolean single = result == PtxType.F32;
        if (types.get(2) != input || input != PtxType.F16 && !brain || types.get(3) != result || !single && (result != PtxType.F16 || brain)) {
            throw statement.unknown();
        }
        statement.expectOperands(4, 4);
        int[] d = operands.targets(0, single ? PtxType.F32 : PtxType.B32, single ? 4 : 2);
        int[] a = operands.sources(1, PtxType.B32, depth / 4);
        int[] b = operands.sources(2, PtxType.B32, depth / 8);
        int[] c = operands.sources(3, single ? PtxType.F32 : PtxType.B32, single ? 4 : 2);
        return (warp, mask) -> {
            checkWhole(warp, mask);
            double[] left = new double[ROWS * depth];
            double[] right = new double[depth * COLUMNS];
            for (int lane = 0; lane < 32; lane++) {
                int group = lane >> 2;
                int member = lane & 3;
                for (int i = 0; i < a.length; i++) {
                    int row = group + (i & 1) * 8;
                    int k = 2 * member + (i >> 1) * 8;
                    int bits = warp.r32[a[i]][lane];
                    left[row * depth + k] = value(bits, brain);
                    left[row * depth + k + 1] = value(bits >>> 16, brain);
                }
                for (int i = 0; i < b.length; i++) {
                    int k = 2 * member + i * 8;
                    int bits = warp.r32[b[i]][lane];
                    right[group * depth + k] = value(bits, brain);
                    right[group * depth + k + 1] = value(bits >>> 16, brain);
                }
            }
            for (int lane = 0; lane < 32; lane++) {
                int group = lane >> 2;
                int column = 2 * (lane & 3);
                for (int half = 0; half < 2; half++) {
                    int row = group + half * 8;
                    if (single) {
                        for (int i = 0; i < 2; i++) {
                            float start = Float.intBitsToFloat(warp.r32[c[half * 2 + i]][lane]);
                            double sum = dot(left, row, right, column + i, depth, start);
                            warp.r32[d[half * 2 + i]][lane] = Float.floatToRawIntBits((float) sum);
                        }
                    } else {
                        int bits = warp.r32[c[half]][lane];
                        double low = dot(left, row, right, column, depth, Half.toFloat(bits));
                        double high = dot(left, row, right, column + 1, depth, Half.toFloat(bits >>> 16));
                        warp.r32[d[half]][lane] = Half.fromFloat(Exact.oddFloat(low)) | Half.fromFloat(Exact.oddFloat(high)) << 16;
                    }
                }
            }
        };
    }

    private static float value(int bits, boolean brain) {
        return brain ? Half.bfloatToFloat(bits) : Half.toFloat(bits);
    }

    private static double dot(double[] left, int row, double[] right, int column, int depth, double start) {
        double sum = start;
        for (int k = 0; k < depth; k++) {
            sum += left[row * depth + k] * right[column * depth + k];
        }
        return sum;
    }

    private static void checkWhole(Warp warp, int mask) {
        if (mask != -1) {
            int absent = Integer.numberOfTrailingZeros(~mask);
            throw warp.fault(Integer.numberOfTrailingZeros(mask), "lane " + absent + " of the warp does not take part; all 32 must");
        }
    }

    static Operation load(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta");
        statement.expectOperands(2, 2);
        if (!statement.has("sync") || !statement.has("aligned") || !statement.has("m8n8") || statement.type() != PtxType.B16
                || MemoryInstructions.space(statement) != Space.SHARED) {
            throw statement.unknown();
        }
        int count = statement.has("x4") ? 4 : statement.has("x2") ? 2 : 1;
        boolean transposed = statement.has("trans");
        int[] d = operands.targets(0, PtxType.B32, count);
        Address address = MemoryInstructions.address(operands, 1, Space.SHARED);
        return (warp, mask) -> {
            checkWhole(warp, mask);
            int[] rows = new int[8 * count];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = MemoryInstructions.locate(warp, i, Space.SHARED, address.of(warp, i), 16, false, false);
            }
            byte[] data = warp.data;
            for (int matrix = 0; matrix < count; matrix++) {
                int[] target = warp.r32[d[matrix]];
                for (int lane = 0; lane < 32; lane++) {
                    int group = lane >> 2;
                    int pair = 2 * (lane & 3);
                    if (transposed) {
                        int low = (short) DeviceMemory.SHORT.get(data, rows[matrix * 8 + pair] + group * 2) & 0xffff;
                        int high = (short) DeviceMemory.SHORT.get(data, rows[matrix * 8 + pair + 1] + group * 2);
                        target[lane] = low | high << 16;
                    } else {
                        target[lane] = (int) DeviceMemory.INT.get(data, rows[matrix * 8 + group] + pair * 2);
                    }
                }
            }
        };
    }
}
