package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * The text of a tiled product with f32 FMA: {@code out[m, n] = Σ_tap Σ_c source(m, tap, c) · w[n, tap, c]}, then an {@link Epilogue}.
 *
 * <p>A block's threads load a slice of both factors to shared memory, transposed so that a thread's operands are adjacent; while they
 * multiply it, the next slice is already on its way to registers. blockIdx.x counts row tiles, blockIdx.y column tiles.
 */
final class TileProduct {
    /** Keeps vectors aligned and moves the columns of the transposed slices to other banks. */
    private static final int PADDING = 4;

    private final PtxFunction f;
    private final DataType type;
    private final Tile tile;
    private final boolean vector;

    /** @param vector whether rows of both factors and of the result begin and end at multiples of four elements */
    TileProduct(PtxFunction f, DataType type, Tile tile, boolean vector) {
        this.f = f;
        this.type = type;
        this.tile = tile;
        this.vector = vector;
    }

    /** What the text works on: registers of the entry's parameters. */
    record Operands(Value weights, Value out, Value rows, Value columns, Value channels, Value outStride) {}

    /** One factor's slice on its way: this thread's places in it and the registers in which it travels. */
    private final class Slice {
        final int stride;
        final int slots;
        final Value[] depth;
        final Value[] shared;
        final Value[][] travelling;

        Slice(String name, int lines, Value thread) {
            stride = lines + PADDING;
            slots = lines * tile.depth() / Tile.VECTOR / tile.threads();
            depth = new Value[slots];
            shared = new Value[slots];
            travelling = new Value[slots][Tile.VECTOR];
            base = f.shared(name, stride * tile.depth() * Float.BYTES);
            line = new Value[slots];
            int perLine = tile.depth() / Tile.VECTOR;
            for (int i = 0; i < slots; i++) {
                Value place = i == 0 ? thread : f.add(thread, Value.of(i * tile.threads()));
                line[i] = f.compute(PtxOp.SHR, place, Value.of(Integer.numberOfTrailingZeros(perLine)));
                depth[i] = f.compute(PtxOp.SHL, f.and(place, Value.of(perLine - 1)), Value.of(2));
                Value element = f.mad(depth[i], Value.of(stride), line[i]);
                shared[i] = f.mad(element, Value.of(Float.BYTES), base);
                for (int j = 0; j < Tile.VECTOR; j++) {
                    travelling[i][j] = f.register(type.ptx());
                }
            }
        }

        final Value base;
        final Value[] line;

        /** Loads a slot's elements, or zeros where the line is not valid or the channel beyond the last. */
        void fetch(int slot, Value address, Value valid, Value channel, Value channels) {
            Value[] targets = travelling[slot];
            for (Value target : targets) {
                f.assign(target, PtxOp.MOV, type == DataType.F32 ? Value.of(0f) : Value.of(0));
            }
            if (vector) {
                Value inside = f.compute(PtxOp.AND, valid, Code.less(f, channel, channels));
                f.guarded(inside, () -> f.load(Space.GLOBAL, address, 0, targets));
                return;
            }
            for (int j = 0; j < targets.length; j++) {
                Value at = j == 0 ? channel : f.add(channel, Value.of(j));
                Value inside = f.compute(PtxOp.AND, valid, Code.less(f, at, channels));
                int offset = j * type.bytes();
                Value target = targets[j];
                f.guarded(inside, () -> f.load(Space.GLOBAL, address, offset, target));
            }
        }

        void store() {
            for (int i = 0; i < slots; i++) {
                for (int j = 0; j < Tile.VECTOR; j++) {
                    Value value = type == DataType.F32 ? travelling[i][j] : f.convert(PtxType.F32, travelling[i][j]);
                    f.store(Space.SHARED, shared[i], j * stride * Float.BYTES, value);
                }
            }
        }
    }

    void emit(Operands operands, RowSource source, Epilogue epilogue, Epilogue.Text epilogueText) {
        Value thread = f.special("%tid.x");
        int across = tile.columns() / tile.threadColumns();
        f.comment("this thread's corner of the tile, and the tile's corner of the result");
        Value threadColumn = f.compute(PtxOp.REM, thread, Value.of(across));
        Value threadRow = f.compute(PtxOp.DIV, thread, Value.of(across));
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(tile.rows()));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(tile.columns()));

        f.comment("the rows and columns whose elements this thread loads");
        Slice left = new Slice("slice_a", tile.rows(), thread);
        Slice right = new Slice("slice_w", tile.columns(), thread);
        Object[] prepared = new Object[left.slots];
        RowSource.Place[] places = new RowSource.Place[left.slots];
        for (int i = 0; i < left.slots; i++) {
            Value row = f.add(firstRow, left.line[i]);
            prepared[i] = source.prepare(row, Code.less(f, row, operands.rows()));
            places[i] = new RowSource.Place(f.register(PtxType.U64), f.register(PtxType.PRED));
        }
        Value[] weightRows = new Value[right.slots];
        Value[] weightValid = new Value[right.slots];
        Value weightLength = f.mul(operands.channels(), Value.of(source.taps()));
        for (int i = 0; i < right.slots; i++) {
            Value column = f.add(firstColumn, right.line[i]);
            weightValid[i] = Code.less(f, column, operands.columns());
            Value offset = f.mulWide(column, weightLength);
            weightRows[i] = f.mad(offset, Value.ofLong(type.bytes()), operands.weights());
        }
        Value[][] sums = new Value[tile.threadRows()][tile.threadColumns()];
        for (Value[] row : sums) {
            for (int j = 0; j < row.length; j++) {
                row[j] = f.move(Value.of(0f));
            }
        }

        Value channel = f.register(PtxType.U32);
        Value tap = f.register(PtxType.U32);
        f.assign(channel, PtxOp.MOV, Value.of(0));
        f.assign(tap, PtxOp.MOV, Value.of(0));
        Value slicesPerTap = f.compute(
                PtxOp.SHR,
                f.add(operands.channels(), Value.of(tile.depth() - 1)),
                Value.of(Integer.numberOfTrailingZeros(tile.depth())));
        Value slices = f.mul(slicesPerTap, Value.of(source.taps()));
        place(source, prepared, tap, places);
        f.comment("the first slice");
        fetch(left, right, places, weightRows, weightValid, tap, channel, operands.channels());
        Value slice = f.move(Value.of(0).as(PtxType.U32));
        f.loop(() -> Code.less(f, slice, slices), () -> {
            left.store();
            right.store();
            f.barrier();
            f.assign(slice, PtxOp.ADD, slice, Value.of(1));
            f.when(Code.less(f, slice, slices), () -> {
                f.comment("the next slice");
                f.assign(channel, PtxOp.ADD, channel, Value.of(tile.depth()));
                if (source.taps() > 1) {
                    f.when(f.compare(Comparison.GREATER_OR_EQUAL, channel, operands.channels()), () -> {
                        f.assign(channel, PtxOp.MOV, Value.of(0));
                        f.assign(tap, PtxOp.ADD, tap, Value.of(1));
                        place(source, prepared, tap, places);
                    });
                }
                fetch(left, right, places, weightRows, weightValid, tap, channel, operands.channels());
            });
            multiply(left, right, threadRow, threadColumn, sums);
            f.barrier();
        });
        store(operands, epilogue, epilogueText, sums, f.mad(threadRow, Value.of(Tile.VECTOR), firstRow),
                f.mad(threadColumn, Value.of(Tile.VECTOR), firstColumn));
    }

    private void place(RowSource source, Object[] prepared, Value tap, RowSource.Place[] places) {
        for (int i = 0; i < places.length; i++) {
            source.place(prepared[i], tap, places[i]);
        }
    }

    private void fetch(
            Slice left,
            Slice right,
            RowSource.Place[] places,
            Value[] weightRows,
            Value[] weightValid,
            Value tap,
            Value channel,
            Value channels) {
        for (int i = 0; i < left.slots; i++) {
            Value at = f.add(channel, left.depth[i]);
            left.fetch(i, f.address(places[i].address(), at, type.bytes()), places[i].valid(), at, channels);
        }
        Value tapBegin = f.mul(tap, channels);
        for (int i = 0; i < right.slots; i++) {
            Value at = f.add(channel, right.depth[i]);
            right.fetch(i, f.address(weightRows[i], f.add(tapBegin, at), type.bytes()), weightValid[i], at, channels);
        }
    }

    private void multiply(Slice left, Slice right, Value threadRow, Value threadColumn, Value[][] sums) {
        Value leftAt = f.mad(threadRow, Value.of(Tile.VECTOR * Float.BYTES), left.base);
        Value rightAt = f.mad(threadColumn, Value.of(Tile.VECTOR * Float.BYTES), right.base);
        for (int k = 0; k < tile.depth(); k++) {
            Value[] a = operands(leftAt, k * left.stride, tile.rows(), tile.threadRows());
            Value[] b = operands(rightAt, k * right.stride, tile.columns(), tile.threadColumns());
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
        int groups = perThread / Tile.VECTOR;
        for (int g = 0; g < groups; g++) {
            Value[] four = new Value[Tile.VECTOR];
            for (int i = 0; i < four.length; i++) {
                four[i] = f.register(PtxType.F32);
                result[g * Tile.VECTOR + i] = four[i];
            }
            f.load(Space.SHARED, at, (element + g * (lines / groups)) * Float.BYTES, four);
        }
        return result;
    }

    private void store(Operands operands, Epilogue epilogue, Epilogue.Text text, Value[][] sums, Value firstRow, Value firstColumn) {
        Value resultColumns =
                epilogue.geglu() ? f.compute(PtxOp.SHR, operands.columns(), Value.of(1)) : operands.columns();
        int columnGroups = tile.threadColumns() / Tile.VECTOR;
        int rowGroups = tile.threadRows() / Tile.VECTOR;
        int unit = vector ? Tile.VECTOR : epilogue.geglu() ? 2 : 1;
        for (int g = 0; g < columnGroups; g++) {
            for (int u = 0; u < Tile.VECTOR; u += unit) {
                f.comment("results of columns " + (g * Tile.VECTOR + u) + " to " + (g * Tile.VECTOR + u + unit - 1) + " of this thread");
                Value column = f.add(firstColumn, Value.of(g * (tile.columns() / columnGroups) + u));
                Value columnInRange = Code.less(f, column, operands.columns());
                Value[] biases = text.biases(columnInRange, column, unit);
                Value resultColumn = epilogue.geglu() ? f.compute(PtxOp.SHR, column, Value.of(1)) : column;
                for (int i = 0; i < tile.threadRows(); i++) {
                    Value row = f.add(firstRow, Value.of(i / Tile.VECTOR * (tile.rows() / rowGroups) + i % Tile.VECTOR));
                    Value inRange = f.compute(PtxOp.AND, columnInRange, Code.less(f, row, operands.rows()));
                    Value[] values = new Value[unit];
                    for (int j = 0; j < unit; j++) {
                        Value sum = sums[i][g * Tile.VECTOR + u + j];
                        values[j] = biases == null ? sum : f.add(sum, biases[j]);
                    }
                    if (epilogue.geglu()) {
                        values = geglu(values);
                    }
                    Value[] results = text.apply(values, inRange, row, resultColumn, resultColumns);
                    Value address = f.address(operands.out(), f.mad(row, operands.outStride(), resultColumn), type.bytes());
                    f.guarded(inRange, () -> Code.storeFloats(f, Space.GLOBAL, type, address, 0, results));
                }
            }
        }
    }

    private Value[] geglu(Value[] pairs) {
        Value[] result = new Value[pairs.length / 2];
        for (int i = 0; i < result.length; i++) {
            result[i] = f.mul(pairs[2 * i], Activation.GELU.emit(f, pairs[2 * i + 1]));
        }
        return result;
    }
}
