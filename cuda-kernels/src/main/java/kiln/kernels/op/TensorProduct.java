package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@link TiledProduct} on tensor cores: {@code mma.sync} m16n8k8 or m16n8k16 with f16 factors and f32 sums.
 *
 * <p>Slices lie in shared memory as they come, rows along the channels, which is the order in which both factors' fragments are read: eight
 * neighbouring channels ("chunk", 16 bytes) are a row of the matrices that {@code ldmatrix} reads. A slice has no padding; instead, the
 * chunks of a line change places by the line's number, so that the eight lines of a matrix lie in different banks. In a fragment, lane
 * {@code l} has rows {@code l/4} and {@code l/4 + 8}, and channels (or result columns) {@code 2·(l mod 4)} and the next.
 *
 * <p>From sm_80 on halves go to shared memory by {@code cp.async}, past the registers.
 */
final class TensorProduct extends TiledProduct {
    /** Halves of a chunk. */
    static final int UNIT = 8;

    private static final int HALF = 2;
    private static final int CHUNK_BYTES = UNIT * HALF;
    /** Channels of the fragments that four matrices make. */
    private static final int FRAGMENT_DEPTH = 2 * UNIT;

    private final int lineBytes;
    private final boolean asynchronous;
    /** Of this warp's part: instructions down and across, four sums a lane each. */
    private final Value[][][] sums;

    private Value lane;
    private Value partRow;
    private Value partColumn;
    /** For each step of a fragment's depth, where this lane's rows of the first fragments are, in the first stage. */
    private final Value[] leftRows;

    private final Value[] rightRows;

    TensorProduct(PtxFunction f, DataType type, DataType weights, Tile tile) {
        super(f, type, weights, tile);
        lineBytes = tile.depth() * HALF;
        asynchronous = tile.arithmetic() == Arithmetic.MMA16;
        sums = new Value[tile.partRows() / Tile.MMA_ROWS][tile.partColumns() / Tile.MMA_COLUMNS][4];
        leftRows = new Value[tile.depth() / FRAGMENT_DEPTH];
        rightRows = new Value[leftRows.length];
    }

    /** The byte of a chunk within its line's: bits of the line's number are added to the chunk's without carry. */
    private Value swizzled(Value line, Value chunk) {
        int perLine = tile.depth() / UNIT;
        // Lines of less than all 32 banks share them: their chunks move every 128 bytes.
        int linesPerTurn = UNIT / Math.min(UNIT, perLine);
        Value turn = linesPerTurn == 1 ? line : f.compute(PtxOp.SHR, line, Value.of(Integer.numberOfTrailingZeros(linesPerTurn)));
        Value moved = f.compute(PtxOp.XOR, chunk, f.and(turn, Value.of(Math.min(UNIT, perLine) - 1)));
        return f.mul(moved, Value.of(CHUNK_BYTES));
    }

    private final class HalfSlice extends Slice {
        private final Value shared;
        private final boolean copied;
        private final Value[][] travelling;
        /** What bytes are subtracted from on their way to halves; {@code null} where halves come. */
        private final Value offset;

        HalfSlice(Value base, DataType stored, int lines, Value thread) {
            super(base, lines, UNIT, thread);
            copied = asynchronous && stored == DataType.F16;
            Value chunk = f.compute(PtxOp.SHR, depth, Value.of(Integer.numberOfTrailingZeros(UNIT)));
            shared = f.add(f.mad(line, Value.of(lineBytes), base), swizzled(line, chunk));
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
                f.copyAsync(f.add(shared, stage), slot * step * lineBytes, address, CHUNK_BYTES, bytes);
                return;
            }
            for (Value target : travelling[slot]) {
                f.assign(target, PtxOp.MOV, Value.of(0));
            }
            f.guarded(inside, () -> f.load(Space.GLOBAL, address, 0, travelling[slot]));
        }

        @Override
        void store(Value stage) {
            if (copied) {
                return;
            }
            Value target = f.add(shared, stage);
            for (int i = 0; i < slots; i++) {
                f.store(Space.SHARED, target, i * step * lineBytes, offset == null ? travelling[i] : halves(travelling[i]));
            }
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
            f.commitCopies();
        }
    }

    @Override
    void await(int later) {
        if (asynchronous) {
            f.awaitCopies(later);
        }
    }

    @Override
    int sliceBytes(int lines) {
        return sliceBytes(tile, lines);
    }

    static int sliceBytes(Tile tile, int lines) {
        return lines * tile.depth() * HALF;
    }

    @Override
    Slice slice(Value base, DataType stored, int lines, Value thread) {
        return new HalfSlice(base, stored, lines, thread);
    }

    @Override
    void begin(Value thread, Slice left, Slice right) {
        f.comment("this warp's corner of the tile");
        int across = tile.columns() / tile.partColumns();
        lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        partRow = f.mul(f.compute(PtxOp.DIV, warp, Value.of(across)), Value.of(tile.partRows()));
        partColumn = f.mul(f.compute(PtxOp.REM, warp, Value.of(across)), Value.of(tile.partColumns()));
        f.comment("the rows that this lane names: of the left factor eight, eight below, then both eight channels on; of the right one");
        f.comment("eight, eight channels on, then both eight below");
        Value row = f.and(lane, Value.of(15));
        rows(leftRows, left.base, f.add(partRow, row), f.compute(PtxOp.SHR, lane, Value.of(4)));
        Value below = f.compute(PtxOp.SHL, f.compute(PtxOp.SHR, lane, Value.of(4)), Value.of(3));
        Value column = f.add(f.and(lane, Value.of(7)), below);
        rows(rightRows, right.base, f.add(partColumn, column), f.and(f.compute(PtxOp.SHR, lane, Value.of(3)), Value.of(1)));
        for (Value[][] fragments : sums) {
            for (Value[] fragment : fragments) {
                for (int i = 0; i < fragment.length; i++) {
                    fragment[i] = f.move(Value.of(0f));
                }
            }
        }
    }

    private void rows(Value[] target, Value base, Value line, Value chunk) {
        Value begin = f.mad(line, Value.of(lineBytes), base);
        for (int i = 0; i < target.length; i++) {
            Value at = i == 0 ? chunk : f.add(chunk, Value.of(i * FRAGMENT_DEPTH / UNIT));
            target[i] = f.add(begin, swizzled(line, at));
        }
    }

    @Override
    void multiply(Value stage) {
        for (int k = 0; k < leftRows.length; k++) {
            Value leftAt = f.add(leftRows[k], stage);
            Value rightAt = f.add(rightRows[k], stage);
            Value[][] b = new Value[sums[0].length][];
            for (int j = 0; j < b.length; j += 2) {
                Value[] two = fragment(rightAt, j * Tile.MMA_COLUMNS);
                b[j] = new Value[] {two[0], two[1]};
                b[j + 1] = new Value[] {two[2], two[3]};
            }
            for (int i = 0; i < sums.length; i++) {
                Value[] a = fragment(leftAt, i * Tile.MMA_ROWS);
                for (int j = 0; j < b.length; j++) {
                    multiply(sums[i][j], a, b[j]);
                }
            }
        }
    }

    private Value[] fragment(Value at, int line) {
        Value[] words = new Value[4];
        for (int i = 0; i < words.length; i++) {
            words[i] = f.register(PtxType.B32);
        }
        f.loadMatrices(at, line * lineBytes, words);
        return words;
    }

    private void multiply(Value[] sum, Value[] a, Value[] b) {
        if (tile.arithmetic() == Arithmetic.MMA16) {
            multiply("m16n8k16", 70, sum, a, b);
            return;
        }
        multiply("m16n8k8", 65, sum, new Value[] {a[0], a[1]}, new Value[] {b[0]});
        multiply("m16n8k8", 65, sum, new Value[] {a[2], a[3]}, new Value[] {b[1]});
    }

    private void multiply(String shape, int version, Value[] sum, Value[] a, Value[] b) {
        String instruction = "mma.sync.aligned." + shape + ".row.col.f32.f16.f16.f32";
        f.emitSince(version, instruction, braced(sum), braced(a), braced(b), braced(sum));
    }

    private static String braced(Value[] values) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < values.length; i++) {
            out.append(i == 0 ? "" : ", ").append(values[i].text());
        }
        return out.append('}').toString();
    }

    @Override
    void finish(Results results, Value tileRow, Value tileColumn) {
        Value firstRow = f.add(f.add(tileRow, partRow), f.compute(PtxOp.SHR, lane, Value.of(2)));
        Value firstColumn = f.add(f.add(tileColumn, partColumn), f.mul(f.and(lane, Value.of(3)), Value.of(2)));
        for (int j = 0; j < sums[0].length; j++) {
            f.comment("results of this lane's columns from " + j * Tile.MMA_COLUMNS + " on");
            Results.Run run = results.run(f.add(firstColumn, Value.of(j * Tile.MMA_COLUMNS)), 2);
            for (int i = 0; i < sums.length; i++) {
                Value[] sum = sums[i][j];
                run.store(f.add(firstRow, Value.of(i * Tile.MMA_ROWS)), sum[0], sum[1]);
                run.store(f.add(firstRow, Value.of(i * Tile.MMA_ROWS + 8)), sum[2], sum[3]);
            }
        }
    }
}
