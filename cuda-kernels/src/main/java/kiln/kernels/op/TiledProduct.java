package kiln.kernels.op;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * The text of a tiled product: {@code out[m, n] = Σ_tap Σ_c source(m, tap, c) · w[n, tap, c]}, then an {@link Epilogue}.
 *
 * <p>A block's threads load a slice of both factors to shared memory; while they multiply it, the next slice is already on its way to
 * registers. blockIdx.x counts row tiles, blockIdx.y column tiles. Subclasses say how slices lie in shared memory and how they are
 * multiplied.
 */
abstract class TiledProduct {
    final PtxFunction f;
    final DataType type;
    final DataType weightType;
    final Tile tile;

    TiledProduct(PtxFunction f, DataType type, DataType weightType, Tile tile) {
        this.f = f;
        this.type = type;
        this.weightType = weightType;
        this.tile = tile;
    }

    /** @param vector whether channels, columns and strides are multiples of the tile's vector */
    static TiledProduct of(PtxFunction f, DataType type, DataType weightType, Tile tile, boolean vector) {
        if (!tile.arithmetic().isTensor()) {
            return new FmaProduct(f, type, weightType, tile, vector);
        }
        return new TensorProduct(f, type, weightType, tile);
    }

    /** How many slices each part but the last has. */
    static int slicesOfPart(Tile tile, int channels, int taps, int parts) {
        int slices = taps * Code.blocks(channels, tile.depth());
        int each = Code.blocks(slices, parts);
        if ((parts - 1) * each >= slices) {
            throw new IllegalArgumentException(slices + " slices in " + parts + " parts leave the last one empty");
        }
        return each;
    }

    static String label(DataType type, DataType weightType) {
        return type.label() + (weightType == type ? "" : " " + weightType.label() + " weights");
    }

    /** Whether there is a text for the combination. */
    static void require(DataType type, DataType weightType, Tile tile, boolean vector) {
        if (type == DataType.I8 || weightType != type && weightType != DataType.I8) {
            throw new IllegalArgumentException(type.label() + " tensors with " + weightType.label() + " weights");
        }
        if (tile.arithmetic().isTensor() && (type != DataType.F16 || !vector)) {
            throw new IllegalArgumentException("tensor cores take f16 with vectors, not " + type.label());
        }
    }

    /**
     * What the text works on: registers of the entry's parameters.
     *
     * @param part which part of the sum to take, of {@code slicesOfPart} slices; both {@code null} for the whole sum
     */
    record Operands(Value weights, Value rows, Value columns, Value channels, Value part, Value slicesOfPart) {}

    /** The parameter behind the weights, where they are bytes. */
    static Value scales(PtxFunction f, DataType weightType) {
        return weightType == DataType.I8 ? f.parameter("scales", PtxType.U64) : null;
    }

    /** Its argument. */
    static void addScales(List<Object> arguments, DataType weightType, long scales) {
        if (weightType == DataType.I8) {
            arguments.add(scales);
        }
    }

    /** One factor's slice on its way: this thread's places in it ("slots") and the registers in which it travels. */
    abstract class Slice {
        /** Shared memory's address. */
        final Value base;
        /** For each slot, its row or column within the tile, and its first channel within the slice. */
        final Value[] line;

        final Value[] depth;

        Slice(String name, int lines, int unit, int bytes, Value thread) {
            base = f.shared(name, bytes);
            int slots = lines * tile.depth() / unit / tile.threads();
            line = new Value[slots];
            depth = new Value[slots];
            int perLine = tile.depth() / unit;
            for (int i = 0; i < slots; i++) {
                Value place = i == 0 ? thread : f.add(thread, Value.of(i * tile.threads()));
                line[i] = f.compute(PtxOp.SHR, place, Value.of(Integer.numberOfTrailingZeros(perLine)));
                depth[i] = f.compute(PtxOp.SHL, f.and(place, Value.of(perLine - 1)), Value.of(Integer.numberOfTrailingZeros(unit)));
            }
        }

        /** Loads a slot's elements, or zeros where the line is not valid or the channel beyond the last. */
        abstract void fetch(int slot, Value address, Value valid, Value channel, Value channels);

        abstract void store();
    }

    /** @param stored what the slice's elements are in global memory */
    abstract Slice slice(String name, DataType stored, int lines, Value thread);

    /** Whatever a thread keeps of its results. */
    abstract void begin(Value thread);

    abstract void multiply(Slice left, Slice right);

    /** Stores results by {@link Results.Run}. */
    abstract void finish(Results results, Value firstRow, Value firstColumn);

    final void emit(Operands operands, RowSource source, Results results) {
        Value thread = f.special("%tid.x");
        f.comment("the tile's corner of the result");
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(tile.rows()));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(tile.columns()));
        f.comment("the rows and columns whose elements this thread loads");
        Slice left = slice("slice_a", type, tile.rows(), thread);
        Slice right = slice("slice_w", weightType, tile.columns(), thread);
        Object[] prepared = new Object[left.line.length];
        RowSource.Place[] places = new RowSource.Place[prepared.length];
        for (int i = 0; i < prepared.length; i++) {
            Value row = f.add(firstRow, left.line[i]);
            prepared[i] = source.prepare(row, Code.less(f, row, operands.rows()));
            places[i] = new RowSource.Place(f.register(PtxType.U64), f.register(PtxType.PRED));
        }
        RowSource.Place[] weights = new RowSource.Place[right.line.length];
        Value weightLength = f.mul(operands.channels(), Value.of(source.taps()));
        for (int i = 0; i < weights.length; i++) {
            Value column = f.add(firstColumn, right.line[i]);
            Value address = f.mad(f.mulWide(column, weightLength), Value.ofLong(weightType.bytes()), operands.weights());
            weights[i] = new RowSource.Place(address, Code.less(f, column, operands.columns()));
        }
        begin(thread);

        Value channel = f.move(Value.of(0).as(PtxType.U32));
        Value tap = f.move(Value.of(0).as(PtxType.U32));
        Value slice = f.move(Value.of(0).as(PtxType.U32));
        Value depthShift = Value.of(Integer.numberOfTrailingZeros(tile.depth()));
        Value slicesPerTap = f.compute(PtxOp.SHR, f.add(operands.channels(), Value.of(tile.depth() - 1)), depthShift);
        Value slices = f.mul(slicesPerTap, Value.of(source.taps()));
        if (operands.part() != null) {
            f.comment("this block's part of the slices");
            f.assign(slice, PtxOp.MUL, operands.part(), operands.slicesOfPart());
            f.assign(slices, PtxOp.MIN, slices, f.add(slice, operands.slicesOfPart()));
            f.assign(tap, PtxOp.DIV, slice, slicesPerTap);
            f.assign(channel, PtxOp.SHL, f.sub(slice, f.mul(tap, slicesPerTap)), depthShift);
        }
        place(source, prepared, tap, places);
        f.comment("the first slice");
        fetch(left, right, places, weights, tap, channel, operands.channels());
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
                fetch(left, right, places, weights, tap, channel, operands.channels());
            });
            f.comment("multiply");
            multiply(left, right);
            f.barrier();
        });
        finish(results, firstRow, firstColumn);
    }

    private static void place(RowSource source, Object[] prepared, Value tap, RowSource.Place[] places) {
        for (int i = 0; i < places.length; i++) {
            source.place(prepared[i], tap, places[i]);
        }
    }

    private void fetch(
            Slice left, Slice right, RowSource.Place[] places, RowSource.Place[] weights, Value tap, Value channel, Value channels) {
        for (int i = 0; i < places.length; i++) {
            Value at = f.add(channel, left.depth[i]);
            left.fetch(i, f.address(places[i].address(), at, type.bytes()), places[i].valid(), at, channels);
        }
        Value tapBegin = f.mul(tap, channels);
        for (int i = 0; i < weights.length; i++) {
            Value at = f.add(channel, right.depth[i]);
            Value address = f.address(weights[i].address(), f.add(tapBegin, at), weightType.bytes());
            right.fetch(i, address, weights[i].valid(), at, channels);
        }
    }
}
