package kiln.kernels.op.product;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * The text of a tiled product: {@code out[m, n] = Σ_tap Σ_c source(m, tap, c) · w[n, tap, c]}, then an {@link Epilogue}.
 *
 * <p>A block's threads load slices of both factors to shared memory, which holds {@link Tile#stages} of them: while one is multiplied, the
 * next are on their way. blockIdx.x counts row tiles, blockIdx.y column tiles. Subclasses say how slices lie in shared memory and how they are
 * multiplied.
 */
abstract class TiledProduct {
    final PtxFunction f;
    final DataType type;
    final DataType weightType;
    final Tile tile;
    /** What is done to the left factor; {@code null}: nothing. */
    final LeftChange leftChange;

    TiledProduct(PtxFunction f, DataType type, DataType weightType, Tile tile, LeftChange leftChange) {
        this.f = f;
        this.type = type;
        this.weightType = weightType;
        this.tile = tile;
        this.leftChange = leftChange;
    }

    /** @param vector whether channels, columns and strides are multiples of the tile's vector */
    static TiledProduct of(PtxFunction f, DataType type, DataType weightType, Tile tile, boolean vector) {
        return of(f, type, weightType, tile, vector, null);
    }

    /** @param leftChange {@code null}: none */
    static TiledProduct of(PtxFunction f, DataType type, DataType weightType, Tile tile, boolean vector, LeftChange leftChange) {
        if (!tile.arithmetic().isTensor()) {
            return new FmaProduct(f, type, weightType, tile, vector, leftChange);
        }
        return new TensorProduct(f, type, weightType, tile, leftChange);
    }

    /** A launch has to have whole slices. */
    static void requireSlices(Epilogue epilogue, int perSlice, int positions) {
        if (epilogue.leavesStatistics() && positions % perSlice != 0) {
            throw new IllegalArgumentException(epilogue.label() + ": " + positions + " positions are no multiple of a slice of " + perSlice);
        }
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
    static void require(DataType type, DataType weightType, Tile tile, boolean vector, Epilogue epilogue) {
        if (epilogue.leavesStatistics() && (!vector || !tile.arithmetic().isTensor() && !FmaProduct.canLeaveStatistics(tile))) {
            throw new IllegalArgumentException("tile " + tile.label() + (vector ? " vector" : " any") + " leaves no statistics");
        }
        if (type == DataType.I8 || weightType == DataType.F32 && type != DataType.F32) {
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

    /**
     * One factor's slice on its way: this thread's places in it ("slots"). A slot is {@code unit} neighbouring channels of a line; a thread's
     * slots lie {@code step} lines apart, at the same channels.
     */
    abstract class Slice {
        /** Of the first stage in shared memory. */
        final Value base;
        /** The first slot's row or column within the tile, and all slots' first channel within the slice. */
        final Value line;

        final Value depth;
        final int unit;
        final int slots;
        final int step;
        /** What is done to the elements; {@code null}: nothing. There before the first load. */
        LeftChange.Slots change;

        Slice(Value base, int lines, int unit, Value thread) {
            this.base = base;
            this.unit = unit;
            int perLine = tile.depth() / unit;
            slots = lines * perLine / tile.threads();
            step = tile.threads() / perLine;
            line = f.compute(PtxOp.SHR, thread, Value.of(Integer.numberOfTrailingZeros(perLine)));
            depth = f.compute(PtxOp.SHL, f.and(thread, Value.of(perLine - 1)), Value.of(Integer.numberOfTrailingZeros(unit)));
        }

        /**
         * Loads a slot's elements, or zeros where the line is not valid or the channel beyond the last: to registers, or at once to the stage.
         *
         * @param stage bytes from the first stage
         */
        abstract void fetch(int slot, Value address, Value valid, Value channel, Value channels, Value stage);

        /** Puts what is in registers there. */
        abstract void store(Value stage);

        /** What a thread does to its slots of a slice that is in shared memory, before the others may read them. */
        void arrived(Value stage) {}
    }

    /** Whether channels are a multiple of a slot's. */
    abstract boolean wholeSlots();

    /** Bytes of shared memory that a slice of so many lines takes. */
    abstract int sliceBytes(int lines);

    enum Factor {
        LEFT,
        RIGHT
    }

    /** @param stored what the slice's elements are in global memory */
    abstract Slice slice(Value base, Factor factor, DataType stored, int lines, Value thread);

    /** Whatever a thread keeps of its results. */
    abstract void begin(Value thread, Slice left, Slice right);

    /** @param stage bytes from the first stage */
    abstract void multiply(Value stage);

    /** Stores results by {@link Results.Run}. */
    abstract void finish(Results results, Value firstRow, Value firstColumn);

    /** Behind all of a slice's fetches. */
    void fetched() {}

    /** Before a slice is multiplied, which so many others have been fetched behind. */
    void await(int later) {}

    final void emit(Operands operands, RowSource source, Results results) {
        Value thread = f.special("%tid.x");
        f.comment("the tile's corner of the result");
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(tile.rows()));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(tile.columns()));
        f.comment("the rows and columns whose elements this thread loads");
        int leftBytes = sliceBytes(tile.rows());
        int stageBytes = leftBytes + sliceBytes(tile.columns());
        Value shared = f.shared("slices", tile.stages() * stageBytes);
        Slice a = slice(shared, Factor.LEFT, type, tile.rows(), thread);
        Slice w = slice(f.add(shared, Value.of(leftBytes)), Factor.RIGHT, weightType, tile.columns(), thread);
        Loads loads = new Loads(operands, source, a, w, firstRow, firstColumn);
        begin(thread, a, w);

        Value left = loads.begin();
        int ahead = tile.stages() - 1;
        for (int i = 0; i < ahead; i++) {
            f.comment("slice " + i);
            Value stage = Value.of(i * stageBytes);
            Runnable load = () -> {
                loads.next(stage);
                a.store(stage);
                w.store(stage);
            };
            if (i == 0) {
                load.run();
            } else {
                f.when(f.compare(Comparison.GREATER, left, Value.of(i)), load);
            }
            fetched();
        }
        Value reading = f.move(Value.of(0).as(PtxType.U32));
        Value writing = f.move(Value.of(ahead * stageBytes).as(PtxType.U32));
        f.loop(() -> f.compare(Comparison.NOT_EQUAL, left, Value.of(0)), () -> {
            await(ahead - 1);
            a.arrived(reading);
            // Behind it this slice is there for all, and all are done with the stage that is written next.
            f.barrier();
            f.when(f.compare(Comparison.GREATER, left, Value.of(ahead)), () -> loads.next(writing));
            fetched();
            f.comment("multiply");
            multiply(reading);
            a.store(writing);
            w.store(writing);
            if (tile.stages() == 2) {
                f.assign(writing, PtxOp.MOV, reading);
                f.assign(reading, PtxOp.SUB, Value.of(stageBytes), reading);
            } else {
                turn(reading, stageBytes);
                turn(writing, stageBytes);
            }
            f.assign(left, PtxOp.SUB, left, Value.of(1));
        });
        finish(results, firstRow, firstColumn);
    }

    private void turn(Value stage, int stageBytes) {
        f.assign(stage, PtxOp.ADD, stage, Value.of(stageBytes));
        Value beyond = f.compare(Comparison.EQUAL, stage, Value.of(tile.stages() * stageBytes));
        f.assign(stage, PtxOp.SELECT, Value.of(0), stage, beyond);
    }

    /** Where the next slice comes from. */
    private final class Loads {
        private final Operands operands;
        private final RowSource source;
        private final Slice left;
        private final Slice right;
        private final Object[] prepared;
        private final RowSource.Place[] places;
        /** Bytes from slot to slot, if they are the same: then one address takes the place of all. */
        private final Value rowStep;
        /** Of the first slot, and from slot to slot, in bytes. */
        private final Value firstWeight;

        private final Value weightStep;
        private final Value[] weightsValid;
        private Value channel;
        private Value tap;

        Loads(Operands operands, RowSource source, Slice left, Slice right, Value firstRow, Value firstColumn) {
            this.operands = operands;
            this.source = source;
            this.left = left;
            this.right = right;
            prepared = new Object[left.slots];
            places = new RowSource.Place[left.slots];
            Value[] valid = new Value[left.slots];
            for (int i = 0; i < places.length; i++) {
                Value row = f.add(f.add(firstRow, left.line), Value.of(i * left.step));
                prepared[i] = source.prepare(row, Code.less(f, row, operands.rows()));
                valid[i] = f.register(PtxType.PRED);
                places[i] = new RowSource.Place(f.register(PtxType.U64), valid[i]);
            }
            rowStep = source.step(left.step);
            if (leftChange != null) {
                left.change = leftChange.new Slots(f.add(firstRow, left.line), valid, operands.rows(), left, wholeSlots());
            }
            Value weightLength = f.mul(operands.channels(), Value.of(source.taps()));
            Value column = f.add(firstColumn, right.line);
            firstWeight = f.mad(f.mulWide(column, weightLength), Value.ofLong(weightType.bytes()), operands.weights());
            weightStep = f.mulWide(weightLength, Value.of(right.step * weightType.bytes()));
            weightsValid = new Value[right.slots];
            for (int i = 0; i < right.slots; i++) {
                weightsValid[i] = Code.less(f, f.add(column, Value.of(i * right.step)), operands.columns());
            }
        }

        /** Finds this block's first slice; returns how many it has, a register that counts. */
        Value begin() {
            channel = f.move(Value.of(0).as(PtxType.U32));
            tap = f.move(Value.of(0).as(PtxType.U32));
            Value depthShift = Value.of(Integer.numberOfTrailingZeros(tile.depth()));
            Value slicesPerTap = f.compute(PtxOp.SHR, f.add(operands.channels(), Value.of(tile.depth() - 1)), depthShift);
            Value slices = f.mul(slicesPerTap, Value.of(source.taps()));
            if (operands.part() != null) {
                f.comment("this block's part of the slices");
                Value first = f.mul(operands.part(), operands.slicesOfPart());
                f.assign(slices, PtxOp.MIN, f.sub(slices, first), operands.slicesOfPart());
                f.assign(tap, PtxOp.DIV, first, slicesPerTap);
                f.assign(channel, PtxOp.SHL, f.sub(first, f.mul(tap, slicesPerTap)), depthShift);
            }
            if (left.change != null) {
                left.change.begin(f.add(channel, left.depth));
            }
            place();
            return slices;
        }

        private void place() {
            for (int i = 0; i < places.length; i++) {
                source.place(prepared[i], tap, places[i]);
            }
        }

        /** Fetches a slice, and goes on to the one behind it. */
        void next(Value stage) {
            Value channels = operands.channels();
            Value at = f.add(channel, left.depth);
            Value row = null;
            for (int i = 0; i < places.length; i++) {
                row = i == 0 || rowStep == null ? f.address(places[i].address(), at, type.bytes()) : f.add(row, rowStep);
                left.fetch(i, row, places[i].valid(), at, channels, stage);
            }
            at = f.add(channel, right.depth);
            Value element = f.mad(tap, channels, at);
            Value weight = f.address(firstWeight, element, weightType.bytes());
            for (int i = 0; i < right.slots; i++) {
                weight = i == 0 ? weight : f.add(weight, weightStep);
                right.fetch(i, weight, weightsValid[i], at, channels, stage);
            }
            f.assign(channel, PtxOp.ADD, channel, Value.of(tile.depth()));
            if (source.taps() > 1) {
                f.when(f.compare(Comparison.GREATER_OR_EQUAL, channel, channels), () -> {
                    f.assign(channel, PtxOp.MOV, Value.of(0));
                    f.assign(tap, PtxOp.ADD, tap, Value.of(1));
                    place();
                });
            }
        }
    }
}
