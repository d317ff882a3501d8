package kiln.kernels.op.product;

import java.util.Arrays;
import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/** {@link TiledProduct} with f32 FMA: slices lie transposed, as 32-bit floats, so that a thread's operands are adjacent. */
final class FmaProduct extends TiledProduct {
    /** Operands that one load from shared memory takes, and elements of a vector load from global memory. */
    static final int GROUP = 4;
    /** Keeps vectors aligned and moves the columns of the transposed slices to other banks. */
    private static final int PADDING = 4;

    private final boolean vector;
    private final Value[][] sums;
    private Value thread;
    /** Address of the block's shared memory. */
    private Value shared;

    private Value threadRow;
    private Value threadColumn;
    /** Addresses of this thread's first operands in the first stage. */
    private Value leftOperands;

    private Value rightOperands;

    FmaProduct(PtxFunction f, DataType type, DataType weights, Tile tile, boolean vector, LeftChange leftChange) {
        super(f, type, weights, tile, leftChange);
        this.vector = vector;
        sums = new Value[tile.partRows()][tile.partColumns()];
    }

    private final class FloatSlice extends Slice {
        private final int stride;
        private final Value shared;
        private final Value[][] travelling;
        private final DataType stored;
        /** Whether a group of bytes travels as one word. */
        private final boolean packed;

        FloatSlice(Value base, DataType stored, int lines, Value thread) {
            super(base, lines, GROUP, thread);
            this.stored = stored;
            packed = vector && stored == DataType.I8;
            stride = lines + PADDING;
            shared = f.mad(f.mad(depth, Value.of(stride), line), Value.of(Float.BYTES), base);
            travelling = new Value[slots][packed ? 1 : GROUP];
            for (Value[] slot : travelling) {
                for (int j = 0; j < slot.length; j++) {
                    slot[j] = f.register(packed ? PtxType.B32 : stored.ptx());
                }
            }
        }

        @Override
        void fetch(int slot, Value address, Value valid, Value channel, Value channels, Value stage) {
            Value[] targets = travelling[slot];
            for (Value target : targets) {
                f.assign(target.type() == PtxType.S8 ? target.as(PtxType.S32) : target, PtxOp.MOV, stored == DataType.F32 ? Value.of(0f) : Value.of(0));
            }
            if (vector) {
                Value inside = f.compute(PtxOp.AND, valid, Code.less(f, channel, channels));
                f.guarded(inside, () -> f.load(Space.READ_ONLY, address, 0, targets));
                return;
            }
            for (int j = 0; j < targets.length; j++) {
                Value at = j == 0 ? channel : f.add(channel, Value.of(j));
                Value inside = f.compute(PtxOp.AND, valid, Code.less(f, at, channels));
                int offset = j * stored.bytes();
                Value target = targets[j];
                f.guarded(inside, () -> f.load(Space.READ_ONLY, address, offset, target));
            }
        }

        @Override
        void store(Value stage) {
            Value target = f.add(shared, stage);
            for (int i = 0; i < slots; i++) {
                Value[] floats = change == null ? floats(i) : changed(i);
                for (int j = 0; j < GROUP; j++) {
                    f.store(Space.SHARED, target, (j * stride + i * step) * Float.BYTES, floats[j]);
                }
            }
            if (change != null) {
                change.next(tile.depth());
            }
        }

        private Value[] changed(int slot) {
            Value[] result = change.floats(slot, floats(slot));
            Value inside = change.inside(slot, 0);
            for (int j = 0; j < result.length; j++) {
                inside = vector || j == 0 ? inside : change.inside(slot, j);
                result[j] = f.select(PtxType.F32, inside, result[j], Value.of(0f));
            }
            return result;
        }

        private Value[] floats(int slot) {
            if (packed) {
                return Code.bytesToFloats(f, travelling[slot][0]);
            }
            Value[] result = travelling[slot].clone();
            for (int j = 0; j < result.length; j++) {
                result[j] = result[j].type() == PtxType.F32 ? result[j] : f.convert(PtxType.F32, result[j]);
            }
            return result;
        }
    }

    @Override
    boolean wholeSlots() {
        return vector;
    }

    @Override
    int sliceBytes(int lines) {
        return sliceBytes(tile, lines);
    }

    static int sliceBytes(Tile tile, int lines) {
        return (lines + PADDING) * tile.depth() * Float.BYTES;
    }

    @Override
    Slice slice(Value base, Factor factor, DataType stored, int lines, Value thread) {
        return new FloatSlice(base, stored, lines, thread);
    }

    @Override
    void begin(Value thread, Slice left, Slice right) {
        this.thread = thread;
        shared = left.base;
        int across = tile.columns() / tile.partColumns();
        threadColumn = f.compute(PtxOp.REM, thread, Value.of(across));
        threadRow = f.compute(PtxOp.DIV, thread, Value.of(across));
        leftOperands = f.mad(threadRow, Value.of(GROUP * Float.BYTES), left.base);
        rightOperands = f.mad(threadColumn, Value.of(GROUP * Float.BYTES), right.base);
        for (Value[] row : sums) {
            for (int j = 0; j < row.length; j++) {
                row[j] = f.move(Value.of(0f));
            }
        }
    }

    @Override
    void multiply(Value stage) {
        Value leftAt = f.add(leftOperands, stage);
        Value rightAt = f.add(rightOperands, stage);
        for (int k = 0; k < tile.depth(); k++) {
            Value[] a = operands(leftAt, k * (tile.rows() + PADDING), tile.rows(), tile.partRows());
            Value[] b = operands(rightAt, k * (tile.columns() + PADDING), tile.columns(), tile.partColumns());
            for (int i = 0; i < a.length; i++) {
                for (int j = 0; j < b.length; j++) {
                    f.assign(sums[i][j], PtxOp.MAD, a[i], b[j], sums[i][j]);
                }
            }
        }
    }

    /** A thread's operands in groups of four; its groups are spread over the tile, so that neighbours read neighbours. */
    private Value[] operands(Value at, int element, int lines, int perThread) {
        Value[] result = new Value[perThread];
        int groups = perThread / GROUP;
        for (int g = 0; g < groups; g++) {
            Value[] four = new Value[GROUP];
            for (int i = 0; i < four.length; i++) {
                four[i] = f.register(PtxType.F32);
                result[g * GROUP + i] = four[i];
            }
            f.load(Space.SHARED, at, (element + g * (lines / groups)) * Float.BYTES, four);
        }
        return result;
    }

    @Override
    void finish(Results results, Value tileRow, Value tileColumn) {
        Value firstRow = f.mad(threadRow, Value.of(GROUP), tileRow);
        Value firstColumn = f.mad(threadColumn, Value.of(GROUP), tileColumn);
        int columnGroups = tile.partColumns() / GROUP;
        int rowGroups = tile.partRows() / GROUP;
        int unit = vector ? GROUP : results.epilogue().geglu() ? 2 : 1;
        for (int at = 0; at < tile.partColumns(); at += unit) {
            f.comment("results of this thread's columns from " + at + " on");
            int column = at / GROUP * (tile.columns() / columnGroups) + at % GROUP;
            Results.Run run = results.run(f.add(firstColumn, Value.of(column)), unit);
            Value[][] stored = new Value[tile.partRows()][];
            for (int i = 0; i < stored.length; i++) {
                Value row = f.add(firstRow, Value.of(i / GROUP * (tile.rows() / rowGroups) + i % GROUP));
                stored[i] = run.store(row, Arrays.copyOfRange(sums[i], at, at + unit));
            }
            if (results.epilogue().leavesStatistics()) {
                leaveStatistics(results, stored, tileRow, f.add(tileColumn, Value.of(column)));
            }
        }
    }

    /**
     * A column's rows are in threads of several warps: each puts its groups of rows, which are of different slices, to shared memory, where the
     * slices are no longer needed; then each of the first threads takes a column of a slice.
     *
     * @param firstColumn of those that the block's threads have stored
     */
    private void leaveStatistics(Results results, Value[][] stored, Value tileRow, Value firstColumn) {
        int rowGroups = stored.length / GROUP;
        int down = tile.rows() / tile.partRows();
        int across = tile.columns() / tile.partColumns() * GROUP;
        int groupBytes = across * ColumnStatistics.PAIR_BYTES;
        f.comment("their statistics over this thread's groups of rows");
        f.barrier();
        Value line = f.mad(threadRow, Value.of(rowGroups * groupBytes), shared);
        Value mine = f.mad(threadColumn, Value.of(GROUP * ColumnStatistics.PAIR_BYTES), line);
        for (int group = 0; group < rowGroups; group++) {
            Value[][] rows = Arrays.copyOfRange(stored, group * GROUP, (group + 1) * GROUP);
            ColumnStatistics.of(f, rows, Code.WARP).store(f, Space.SHARED, f.add(mine, Value.of(group * groupBytes)));
        }
        f.barrier();
        f.comment("and over all threads'");
        Value takes = Code.less(f, thread, Value.of(rowGroups * across));
        f.when(takes, () -> {
            Value group = f.compute(PtxOp.DIV, thread, Value.of(across));
            Value column = f.compute(PtxOp.REM, thread, Value.of(across));
            Value first = f.mad(thread, Value.of(ColumnStatistics.PAIR_BYTES), shared);
            ColumnStatistics slice = ColumnStatistics.combined(f, first, down, rowGroups * groupBytes, GROUP);
            Value row = f.mad(group, Value.of(tile.statisticsSlice()), tileRow);
            Value number = f.compute(PtxOp.DIV, row, Value.of(tile.statisticsSlice()));
            results.storeStatistics(slice, takes, row, number, f.add(firstColumn, column));
        });
    }

    /** Whether the block has the threads and the shared memory for it. */
    static boolean canLeaveStatistics(Tile tile) {
        int sharedBytes = tile.threads() * tile.partRows() * ColumnStatistics.PAIR_BYTES;
        return tile.rows() / tile.partRows() >= tile.partRows()
                && sharedBytes <= tile.stages() * tile.stageBytes();
    }
}
