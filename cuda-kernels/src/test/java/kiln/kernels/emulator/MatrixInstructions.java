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
    private static final int ROWS = MatrixFragments.ROWS;
    private static final int COLUMNS = MatrixFragments.COLUMNS;

    /** Place in C or D, by rows, of the i-th value of each lane: i · 32 + lane. */
    private static final int[] PLACES = new int[4 * 32];

    static {
        for (int i = 0; i < PLACES.length; i++) {
            int lane = i & 31;
            int value = i >> 5;
            PLACES[i] = ((lane >> 2) + (value >> 1) * 8) * COLUMNS + 2 * (lane & 3) + (value & 1);
        }
    }

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
            double[] left = warp.fragments.left(warp.r32, a, brain, depth);
            double[] right = warp.fragments.right(warp.r32, b, brain, depth);
            double[] sums = warp.fragments.sums;
            int perRegister = single ? 1 : 2;
            for (int i = 0; i < c.length; i++) {
                int[] register = warp.r32[c[i]];
                for (int lane = 0; lane < 32; lane++) {
                    int at = PLACES[i * perRegister * 32 + lane];
                    if (single) {
                        sums[at] = Float.intBitsToFloat(register[lane]);
                    } else {
                        sums[at] = Half.toFloat(register[lane]);
                        sums[at + 1] = Half.toFloat(register[lane] >>> 16);
                    }
                }
            }
            for (int row = 0; row < ROWS; row++) {
                addRow(sums, left, right, row, depth);
            }
            for (int i = 0; i < d.length; i++) {
                int[] register = warp.r32[d[i]];
                for (int lane = 0; lane < 32; lane++) {
                    int at = PLACES[i * perRegister * 32 + lane];
                    register[lane] = single ? Float.floatToRawIntBits((float) sums[at])
                            : Half.fromFloat(Exact.oddFloat(sums[at])) | Half.fromFloat(Exact.oddFloat(sums[at + 1])) << 16;
                }
            }
        };
    }

    /** One row of the product, its eight sums side by side so that they do not wait for one another. The products are exact: fma rounds as two steps do. */
    private static void addRow(double[] sums, double[] left, double[] right, int row, int depth) {
        int at = row * COLUMNS;
        double s0 = sums[at];
        double s1 = sums[at + 1];
        double s2 = sums[at + 2];
        double s3 = sums[at + 3];
        double s4 = sums[at + 4];
        double s5 = sums[at + 5];
        double s6 = sums[at + 6];
        double s7 = sums[at + 7];
        for (int k = 0; k < depth; k++) {
            double factor = left[row * depth + k];
            int from = k * COLUMNS;
            s0 = Math.fma(factor, right[from], s0);
            s1 = Math.fma(factor, right[from + 1], s1);
            s2 = Math.fma(factor, right[from + 2], s2);
            s3 = Math.fma(factor, right[from + 3], s3);
            s4 = Math.fma(factor, right[from + 4], s4);
            s5 = Math.fma(factor, right[from + 5], s5);
            s6 = Math.fma(factor, right[from + 6], s6);
            s7 = Math.fma(factor, right[from + 7], s7);
        }
        sums[at] = s0;
        sums[at + 1] = s1;
        sums[at + 2] = s2;
        sums[at + 3] = s3;
        sums[at + 4] = s4;
        sums[at + 5] = s5;
        sums[at + 6] = s6;
        sums[at + 7] = s7;
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
            SharedMemory shared = warp.block.shared;
            int[] rows = new int[8 * count];
            for (int i = 0; i < rows.length; i++) {
                // What a thread's address names goes to all threads.
                rows[i] = shared.position(warp, i, address.of(warp, i), 16, "read");
                shared.read(warp, i, -1, rows[i], 16);
            }
            byte[] data = shared.data;
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
