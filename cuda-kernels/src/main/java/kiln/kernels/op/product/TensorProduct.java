package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@link TiledProduct} on tensor cores: {@code mma.sync} m16n8k8 or m16n8k16 with f16 factors and f32 sums.
 *
 * <p>In a fragment, lane {@code l} has rows {@code l/4} and {@code l/4 + 8}, and channels (or result columns) {@code 2·(l mod 4)} and the
 * next. Slices lie in shared memory as they come, rows along the channels: eight neighbouring channels ("chunk", 16 bytes) are a row of the
 * 8×8 matrices that {@code ldmatrix} makes fragments of. Two things are not straight:
 * <ul>
 * <li>Which weights are a fragment's eight columns is free. A pair of fragments takes sixteen so that a lane's two and two are neighbours:
 *     the first has columns 0, 1, 4, 5, 8, 9, 12, 13, the second those between. Results are stored by fours.
 * <li>A line is 64 bytes, half of all banks. Its four chunks change places by the line's number, so that the eight lines of any matrix lie
 *     in different banks without padding.
 * </ul>
 *
 * <p>From sm_80 on halves go to shared memory by {@code cp.async}, past the registers. A left factor's elements are changed ({@link OnLoad})
 * when they are there, by the thread that loaded them: with their factors they would hold more registers while the slice before them is
 * multiplied than there are.
 */
class TensorProduct extends TiledProduct {
    /** Halves of a chunk. */
    static final int UNIT = 8;
    /** Channels of a slice. */
    static final int DEPTH = 32;

    static final int HALF = 2;
    static final int CHUNK_BYTES = UNIT * HALF;
    static final int LINE_BYTES = DEPTH * HALF;
    private static final int LINE_CHUNKS = DEPTH / UNIT;
    /** Channels of the fragments that four matrices make. */
    static final int FRAGMENT_DEPTH = 2 * UNIT;
    /** Steps of a fragment's depth in a slice. */
    static final int STEPS = DEPTH / FRAGMENT_DEPTH;
    /** Neighbouring results of a lane. */
    private static final int RUN = 4;
    /** Lanes that have results of the same row. */
    private static final int LANES_OF_ROW = 4;

    private final boolean asynchronous;
    /** Of this warp's part: instructions down and across, four sums a lane each. */
    private final Value[][][] sums;

    Value lane;
    /** The corner of this warp's part within the tile. */
    Value partRow;

    Value partColumn;
    /** For each step of a fragment's depth, where this lane's rows of the first fragments are, in the first stage. */
    private final Value[] leftRows = new Value[STEPS];

    private final Value[] rightRows = new Value[STEPS];

    TensorProduct(PtxFunction f, DataType type, DataType weights, Tile tile, LeftChange leftChange) {
        super(f, type, weights, tile, leftChange);
        asynchronous = tile.arithmetic() == Arithmetic.MMA16;
        sums = new Value[tile.partRows() / Tile.MMA_ROWS][tile.partColumns() / Tile.MMA_COLUMNS][4];
    }

    private final class HalfSlice extends Slice {
        private final Value shared;
        private final boolean copied;
        private final Value[][] travelling;
        /** What bytes are subtracted from on their way to halves; {@code null} where halves come. */
        private final Value offset;

        HalfSlice(Value base, Factor factor, DataType stored, int lines, Value thread) {
            super(base, lines, UNIT, thread);
            copied = asynchronous && stored == DataType.F16;
            Value chunk = f.compute(PtxOp.SHR, depth, Value.of(Integer.numberOfTrailingZeros(UNIT)));
            shared = address(base, factor, line, chunk);
            travelling = new Value[copied ? 0 : slots][UNIT * stored.bytes() / Integer.BYTES];
            offset = stored == DataType.I8 ? f.register(PtxType.B32) : null;
            if (offset != null) {
                f.emit("mov.b32", offset.text(), "0x64806480");
            }
            for (Value[] slot : travelling) {
                for (int j = 0; j < slot.length; j++) {
                    slot[j] = f.register(PtxType.B32);
                }
            }
        }

        @Override
        void fetch(int slot, Value address, Value valid, Value channel, Value channels, Value stage) {
            Value inside = f.compute(PtxOp.AND, valid, Code.less(f, channel, channels));
            if (copied) {
                Value bytes = f.select(PtxType.U32, inside, Value.of(CHUNK_BYTES), Value.of(0));
                TensorCode.copy(f, f.add(shared, stage), slot * step * LINE_BYTES, address, bytes);
                return;
            }
            for (Value target : travelling[slot]) {
                f.assign(target, PtxOp.MOV, Value.of(0));
            }
            f.guarded(inside, () -> f.load(Space.READ_ONLY, address, 0, travelling[slot]));
        }

        @Override
        void store(Value stage) {
            if (copied) {
                return;
            }
            Value target = f.add(shared, stage);
            for (int i = 0; i < slots; i++) {
                f.store(Space.SHARED, target, i * step * LINE_BYTES, offset == null ? travelling[i] : halves(travelling[i]));
            }
        }

        @Override
        void arrived(Value stage) {
            if (change == null) {
                return;
            }
            Value target = f.add(shared, stage);
            for (int i = 0; i < slots; i++) {
                int at = i * step * LINE_BYTES;
                Value[] words = new Value[CHUNK_BYTES / Integer.BYTES];
                for (int j = 0; j < words.length; j++) {
                    words[j] = f.register(PtxType.B32);
                }
                f.load(Space.SHARED, target, at, words);
                Value[] changed = change.words(tile.arithmetic(), i, words);
                f.guarded(change.inside(i, 0), () -> f.store(Space.SHARED, target, at, changed));
            }
            change.next(tile.depth());
        }

        private Value[] halves(Value[] bytes) {
            Value[] low = Code.bytesToHalves(f, bytes[0], offset);
            Value[] high = Code.bytesToHalves(f, bytes[1], offset);
            return new Value[] {low[0], low[1], high[0], high[1]};
        }
    }

    @Override
    void fetched() {
        if (asynchronous) {
            TensorCode.commitCopies(f);
        }
    }

    @Override
    void await(int later) {
        if (asynchronous) {
            TensorCode.awaitGroups(f, later);
        }
    }

    @Override
    boolean wholeSlots() {
        return true;
    }

    @Override
    int sliceBytes(int lines) {
        return sliceBytes(tile, lines);
    }

    static int sliceBytes(Tile tile, int lines) {
        return lines * tile.depth() * HALF;
    }

    @Override
    Slice slice(Value base, Factor factor, DataType stored, int lines, Value thread) {
        return new HalfSlice(base, factor, stored, lines, thread);
    }

    @Override
    void begin(Value thread, Slice left, Slice right) {
        begin(thread, right);
        nameRows(leftRows, left.base, Factor.LEFT, f.add(partRow, leftRow()), leftChunk());
    }

    /** The row of a part's first fragment that this lane names: eight, eight below, then both eight channels on. */
    final Value leftRow() {
        return f.and(lane, Value.of(Tile.MMA_ROWS - 1));
    }

    final Value leftChunk() {
        return f.compute(PtxOp.SHR, lane, Value.of(4));
    }

    /** All but the left factor's rows. */
    final void begin(Value thread, Slice right) {
        findPart(thread);
        f.comment("the rows of the right factor that this lane names: a fragment's, the same eight channels on, then those of the other");
        f.comment("fragment of a pair");
        Value four = f.mul(f.compute(PtxOp.SHR, f.and(lane, Value.of(7)), Value.of(1)), Value.of(RUN));
        Value second = f.mul(f.compute(PtxOp.SHR, lane, Value.of(4)), Value.of(2));
        Value column = f.add(f.add(four, second), f.and(lane, Value.of(1)));
        Value chunk = f.and(f.compute(PtxOp.SHR, lane, Value.of(3)), Value.of(1));
        nameRows(rightRows, right.base, Factor.RIGHT, f.add(partColumn, column), chunk);
        for (Value[][] fragments : sums) {
            for (Value[] fragment : fragments) {
                for (int i = 0; i < fragment.length; i++) {
                    fragment[i] = f.move(Value.of(0f));
                }
            }
        }
    }

    /** Finds this warp's part of the tile. */
    final void findPart(Value thread) {
        f.comment("this warp's corner of the tile");
        int across = tile.columns() / tile.partColumns();
        lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        partRow = f.mul(f.compute(PtxOp.DIV, warp, Value.of(across)), Value.of(tile.partRows()));
        partColumn = f.mul(f.compute(PtxOp.REM, warp, Value.of(across)), Value.of(tile.partColumns()));
    }

    private void nameRows(Value[] target, Value base, Factor factor, Value line, Value chunk) {
        for (int i = 0; i < target.length; i++) {
            Value at = i == 0 ? chunk : f.add(chunk, Value.of(i * FRAGMENT_DEPTH / UNIT));
            target[i] = address(base, factor, line, at);
        }
    }

    /** Eight lines of a matrix are neighbours on the left, and on the right two and two, four apart: both use all places of a chunk. */
    private Value address(Value base, Factor factor, Value line, Value chunk) {
        Value turn = f.compute(PtxOp.SHR, line, Value.of(factor == Factor.LEFT ? 1 : 2));
        Value place = f.compute(PtxOp.XOR, chunk, f.and(turn, Value.of(LINE_CHUNKS - 1)));
        return f.mad(place, Value.of(CHUNK_BYTES), f.mad(line, Value.of(LINE_BYTES), base));
    }

    @Override
    void multiply(Value stage) {
        for (int k = 0; k < STEPS; k++) {
            multiply(k, f.add(leftRows[k], stage), 0, Tile.MMA_ROWS * LINE_BYTES, stage);
        }
    }

    /**
     * Multiplies one step of the fragments' depth.
     *
     * @param left with {@code offset}, where this lane's row of the part's first left fragment is; the next ones are {@code fragmentBytes} apart
     * @param stage of the right factor
     */
    final void multiply(int step, Value left, int offset, int fragmentBytes, Value stage) {
        Value right = f.add(rightRows[step], stage);
        Value[][] b = new Value[sums[0].length][];
        for (int j = 0; j < b.length; j += 2) {
            Value[] two = TensorCode.loadMatrices(f, 4, false, right, j * Tile.MMA_COLUMNS * LINE_BYTES);
            b[j] = new Value[] {two[0], two[1]};
            b[j + 1] = new Value[] {two[2], two[3]};
        }
        for (int i = 0; i < sums.length; i++) {
            Value[] four = TensorCode.loadMatrices(f, 4, false, left, offset + i * fragmentBytes);
            Value[][] a = {{four[0], four[1]}, {four[2], four[3]}};
            for (int j = 0; j < b.length; j++) {
                TensorCode.multiply(f, tile.arithmetic(), sums[i][j], a, 0, b[j]);
            }
        }
    }

    /**
     * What the results are stored by.
     *
     * @param tileRow the tile's first row, as {@link #finish} is given it
     * @param part the first line, in the tile, of this warp's part
     * @param line this lane's first one in the part
     */
    ResultRows resultRows(Value tileRow, Value part, Value line) {
        return ResultRows.Consecutive.of(f, tileRow, part, line, tile.statisticsSlice());
    }

    @Override
    void finish(Results results, Value tileRow, Value tileColumn) {
        ResultRows rows = resultRows(tileRow, partRow, f.compute(PtxOp.SHR, lane, Value.of(2)));
        Value firstColumn = f.mad(f.and(lane, Value.of(3)), Value.of(RUN), f.add(tileColumn, partColumn));
        int halfFragment = Tile.MMA_ROWS / 2;
        for (int j = 0; j < sums[0].length; j += 2) {
            f.comment("results of this lane's columns from " + j * Tile.MMA_COLUMNS + " on");
            Value column = f.add(firstColumn, Value.of(j * Tile.MMA_COLUMNS));
            Results.Run run = results.run(column, RUN);
            Value[][] stored = new Value[2 * sums.length][];
            for (int i = 0; i < stored.length; i++) {
                Value[] first = sums[i / 2][j];
                Value[] second = sums[i / 2][j + 1];
                int at = i % 2 * 2;
                stored[i] = run.store(rows.row(i * halfFragment), first[at], first[at + 1], second[at], second[at + 1]);
            }
            if (results.epilogue().leavesStatistics()) {
                f.comment("their statistics over the part's rows");
                ColumnStatistics statistics = ColumnStatistics.of(f, stored, LANES_OF_ROW);
                results.storeStatistics(statistics, Code.less(f, lane, Value.of(LANES_OF_ROW)), rows.row(0), rows.slice(), column);
            }
        }
    }
}
