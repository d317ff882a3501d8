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
 * <p>Slices lie in shared memory as they come, rows along the channels, which is the order in which both factors' fragments are read: a
 * lane's pair of neighbouring channels is one 32-bit word. In a fragment, lane {@code l} has rows {@code l/4} and {@code l/4 + 8}, and
 * channels (or result columns) {@code 2·(l mod 4)} and the next.
 */
final class TensorProduct extends TiledProduct {
    /** Halves of a 16-byte load. */
    static final int UNIT = 8;
    /** Halves behind each line: then the eight lines that a warp reads at once lie in different banks. */
    private static final int PADDING = 8;

    private static final int HALF = 2;

    private final int stride;
    /** Of this warp's part: instructions down and across, four sums a lane each. */
    private final Value[][][] sums;

    private Value lane;
    private Value partRow;
    private Value partColumn;

    TensorProduct(PtxFunction f, DataType type, DataType weights, Tile tile) {
        super(f, type, weights, tile);
        stride = tile.depth() + PADDING;
        sums = new Value[tile.partRows() / Tile.MMA_ROWS][tile.partColumns() / Tile.MMA_COLUMNS][4];
    }

    private final class HalfSlice extends Slice {
        private final Value[] shared;
        private final Value[][] travelling;
        /** What bytes are subtracted from on their way to halves; {@code null} where halves come. */
        private final Value offset;

        HalfSlice(String name, DataType stored, int lines, Value thread) {
            super(name, lines, UNIT, lines * stride * HALF, thread);
            shared = new Value[line.length];
            travelling = new Value[line.length][UNIT * stored.bytes() / Integer.BYTES];
            offset = stored == DataType.I8 ? f.register(PtxType.B32) : null;
            if (offset != null) {
                f.emit("mov.b32", offset.text(), "0x64806480");
            }
            for (int i = 0; i < line.length; i++) {
                shared[i] = f.mad(f.mad(line[i], Value.of(stride), depth[i]), Value.of(HALF), base);
                for (int j = 0; j < travelling[i].length; j++) {
                    travelling[i][j] = f.register(PtxType.B32);
                }
            }
        }

        @Override
        void fetch(int slot, Value address, Value valid, Value channel, Value channels) {
            for (Value target : travelling[slot]) {
                f.assign(target, PtxOp.MOV, Value.of(0));
            }
            Value inside = f.compute(PtxOp.AND, valid, Code.less(f, channel, channels));
            f.guarded(inside, () -> f.load(Space.GLOBAL, address, 0, travelling[slot]));
        }

        @Override
        void store() {
            for (int i = 0; i < shared.length; i++) {
                f.store(Space.SHARED, shared[i], 0, offset == null ? travelling[i] : halves(travelling[i]));
            }
        }

        private Value[] halves(Value[] bytes) {
            Value[] low = Code.bytesToHalves(f, bytes[0], offset);
            Value[] high = Code.bytesToHalves(f, bytes[1], offset);
            return new Value[] {low[0], low[1], high[0], high[1]};
        }
    }

    @Override
    Slice slice(String name, DataType stored, int lines, Value thread) {
        return new HalfSlice(name, stored, lines, thread);
    }

    @Override
    void begin(Value thread) {
        f.comment("this warp's corner of the tile");
        int across = tile.columns() / tile.partColumns();
        lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        partRow = f.mul(f.compute(PtxOp.DIV, warp, Value.of(across)), Value.of(tile.partRows()));
        partColumn = f.mul(f.compute(PtxOp.REM, warp, Value.of(across)), Value.of(tile.partColumns()));
        for (Value[][] row : sums) {
            for (Value[] fragment : row) {
                for (int i = 0; i < fragment.length; i++) {
                    fragment[i] = f.move(Value.of(0f));
                }
            }
        }
    }

    @Override
    void multiply(Slice left, Slice right) {
        Value line = f.compute(PtxOp.SHR, lane, Value.of(2));
        Value pair = f.mul(f.and(lane, Value.of(3)), Value.of(2));
        Value leftAt = fragmentAddress(left, partRow, line, pair);
        Value rightAt = fragmentAddress(right, partColumn, line, pair);
        // Halves of the channels that one instruction takes, by eights.
        int eights = tile.arithmetic() == Arithmetic.MMA16 ? 2 : 1;
        for (int k = 0; k < tile.depth(); k += 8 * eights) {
            Value[][] b = new Value[sums[0].length][];
            for (int j = 0; j < b.length; j++) {
                b[j] = words(rightAt, j * Tile.MMA_COLUMNS, k, 1, eights);
            }
            for (int i = 0; i < sums.length; i++) {
                Value[] a = words(leftAt, i * Tile.MMA_ROWS, k, 2, eights);
                for (int j = 0; j < b.length; j++) {
                    multiply(sums[i][j], a, b[j]);
                }
            }
        }
    }

    private Value fragmentAddress(Slice slice, Value part, Value line, Value pair) {
        return f.mad(f.mad(f.add(part, line), Value.of(stride), pair), Value.of(HALF), slice.base);
    }

    /** A fragment's words in the order of the instruction: eight lines below first, then eight channels on. */
    private Value[] words(Value at, int line, int channel, int linesOfEight, int eights) {
        Value[] result = new Value[linesOfEight * eights];
        for (int i = 0; i < result.length; i++) {
            int element = (line + i % linesOfEight * 8) * stride + channel + i / linesOfEight * 8;
            result[i] = f.load(Space.SHARED, PtxType.B32, at, element * HALF);
        }
        return result;
    }

    private void multiply(Value[] sum, Value[] a, Value[] b) {
        boolean wide = tile.arithmetic() == Arithmetic.MMA16;
        String instruction = "mma.sync.aligned." + (wide ? "m16n8k16" : "m16n8k8") + ".row.col.f32.f16.f16.f32";
        f.emitSince(wide ? 70 : 65, instruction, braced(sum), braced(a), braced(b), braced(sum));
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
