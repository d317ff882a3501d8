package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * A 3×3 convolution (stride 1, padded by one above and on the left) on tensor cores whose tile's rows are a rectangle of pixels: the
 * rectangle with its border ("patch") goes to shared memory once for each {@link #DEPTH} channels ("chunk") and is read there at all nine
 * taps, where {@link TiledProduct} loads every pixel nine times.
 *
 * <p>blockIdx.x counts the patches of all pictures, those of a row first. The sum runs over the chunks, and within a chunk over the taps, in
 * the same order wherever a pixel lies in its patch; so a band of the result is what it is in the whole, to the bit. Weights come slice by
 * slice as for {@link TensorProduct}. Only one patch is in shared memory: the next one travels through registers while the taps are
 * multiplied ({@link PatchPixels}), and takes the place of the one before behind the ninth.
 *
 * <p>In shared memory a tap is a constant distance, and the eight neighbours that a matrix of {@code ldmatrix} is made of lie in different
 * banks.
 */
final class PatchProduct extends TensorProduct {
    private static final int WINDOW = 3;
    static final int TAPS = WINDOW * WINDOW;
    /** 80: eight neighbours begin 0, 20, 8, 28, 16, 4, 24 and 12 banks from the first, and take four each. */
    static final int PIXEL_BYTES = LINE_BYTES + CHUNK_BYTES;

    /** Sums and waiting pixels of a thread beside which there are registers for all fragments of a tap. */
    private static final int MOST_WORDS_WITH_TAP = 76;
    /** Between a load of pixels and the first use of what it brings. */
    private static final int TAPS_ON_THE_WAY = 3;

    /** A pixel of the band that is computed. */
    record Corner(Value picture, Value y, Value x) {}

    private final ConvolutionMap map;
    /** {@code null} where nothing is done to elements. */
    private final LoadText load;

    PatchProduct(PtxFunction f, DataType type, DataType weights, Tile tile, ConvolutionMap map, LoadText load) {
        super(f, type, weights, tile, null);
        if (PatchPixels.slots(tile) > TAPS - TAPS_ON_THE_WAY) {
            throw new IllegalArgumentException(tile.label() + ": too many pixels for so few threads");
        }
        this.map = map;
        this.load = load;
    }

    /** Pixels across a patch. */
    static int across(Tile tile) {
        return tile.patchWidth() + WINDOW - 1;
    }

    /** Pixels of a patch. */
    static int pixels(Tile tile) {
        return across(tile) * (tile.patchHeight() + WINDOW - 1);
    }

    /** Tiles of so many pictures. */
    static int tiles(Tile tile, int pictures, int height, int width) {
        return pictures * Code.blocks(height, tile.patchHeight()) * Code.blocks(width, tile.patchWidth());
    }

    /** @param operands where the sum has parts, {@code slicesOfPart} counts chunks */
    void emit(Operands operands, Results results) {
        Value thread = f.special("%tid.x");
        Value channels = operands.channels();
        Slice slice = slice(f.shared("slices", tile.stages() * tile.stageBytes()), Factor.RIGHT, weightType, tile.columns(), thread);
        Corner corner = corner();
        PatchPixels pixels = new PatchPixels(f, tile, type, map, corner, channels, thread, slice.depth, load);
        f.comment("this block's chunks, and this thread's first channel of the next one");
        Value chunks = f.compute(PtxOp.SHR, f.add(channels, Value.of(DEPTH - 1)), Value.of(Integer.numberOfTrailingZeros(DEPTH)));
        Value at = f.move(slice.depth);
        if (operands.part() != null) {
            Value before = f.mul(operands.part(), operands.slicesOfPart());
            f.assign(chunks, PtxOp.MIN, f.sub(chunks, before), operands.slicesOfPart());
            f.assign(at, PtxOp.MAD, before, Value.of(DEPTH), at);
        }
        Weights weights = new Weights(operands, slice, at);
        first(pixels, weights, at);
        begin(thread, slice);
        Value left = leftAddress(pixels.patch());
        Value works = hasResults(corner, operands.columns());
        f.loop(() -> f.compare(Comparison.NOT_EQUAL, chunks, Value.of(0)), () -> {
            Value more = f.compare(Comparison.GREATER, chunks, Value.of(1));
            Value next = f.add(at, Value.of(DEPTH));
            for (int tap = 0; tap < TAPS; tap++) {
                f.comment("tap " + tap);
                await(weights.ahead - 1);
                // Behind it these weights are there for all, as is the patch, and all are done with the stage that is written next.
                f.barrier();
                weights.fetchAhead(tap, at, more, next);
                int applied = tap - (TAPS - pixels.slots());
                fetch(pixels, tap, applied + TAPS_ON_THE_WAY, next, more);
                multiply(tap, left, works, weights.stage(tap));
                slice.store(weights.stage(tap + weights.ahead));
                if (tap == 1) {
                    pixels.storeFactors();
                }
                if (applied >= 0) {
                    pixels.apply(applied);
                    pixels.park(applied);
                }
            }
            f.when(more, () -> {
                f.comment("when all are done with the patch, the next one takes its place");
                pixels.unpark();
                f.barrier();
                pixels.store();
            });
            weights.turnStages();
            f.assign(at, PtxOp.MOV, next);
            f.assign(chunks, PtxOp.SUB, chunks, Value.of(1));
        });
        f.comment("places again, as registers are few in the loop");
        findPart(f.special("%tid.x"));
        finish(results, null, firstColumn());
    }

    /** The first patch, and the weights of the taps before which there is no other. */
    private void first(PatchPixels pixels, Weights weights, Value at) {
        f.comment("the first patch and weights");
        Value any = f.compare(Comparison.GREATER, weights.channels, Value.of(0));
        pixels.fetchFactors(at, any);
        for (int i = 0; i < pixels.slots(); i++) {
            pixels.fetch(i, at, any);
        }
        for (int tap = 0; tap < weights.ahead; tap++) {
            weights.fetch(at, weights.stage(tap));
            weights.slice.store(weights.stage(tap));
            fetched();
        }
        pixels.storeFactors();
        if (load != null) {
            f.barrier();
        }
        for (int i = 0; i < pixels.slots(); i++) {
            pixels.apply(i);
        }
        pixels.store();
    }

    /** Loads what a tap's turn is of the next chunk's pixels and factors, if there is one. */
    private static void fetch(PatchPixels pixels, int tap, int slot, Value at, Value more) {
        if (tap == 0) {
            pixels.fetchFactors(at, more);
        }
        if (slot >= 0 && slot < pixels.slots()) {
            pixels.fetch(slot, at, more);
        }
    }

    /**
     * Multiplies a tap, but in warps that have no results. (Branches also keep the assembler from mixing what lies between them, for which
     * registers would be too few: a tap with the next one and, where much waits in registers, the halves of a tap.)
     */
    private void multiply(int tap, Value left, Value works, Value stage) {
        int fragmentBytes = Tile.MMA_ROWS / tile.patchWidth() * across(tile) * PIXEL_BYTES;
        int distance = (tap / WINDOW * across(tile) + tap % WINDOW) * PIXEL_BYTES;
        int sumsOfLane = tile.partRows() * tile.partColumns() / Code.WARP;
        int together = sumsOfLane + PatchPixels.waitingWords(tile) > MOST_WORDS_WITH_TAP ? 1 : STEPS;
        for (int i = 0; i < STEPS; i += together) {
            int first = i;
            f.when(works, () -> {
                for (int step = first; step < first + together; step++) {
                    multiply(step, left, distance + step * FRAGMENT_DEPTH * HALF, fragmentBytes, stage);
                }
            });
        }
    }

    private Value firstColumn() {
        return f.mul(f.special("%ctaid.y"), Value.of(tile.columns()));
    }

    /** Of the tile. */
    private Corner corner() {
        Value width = Value.of(tile.patchWidth());
        Value height = Value.of(tile.patchHeight());
        Value across = f.compute(PtxOp.DIV, f.add(map.outWidth(), Value.of(tile.patchWidth() - 1)), width);
        Value down = f.compute(PtxOp.DIV, f.add(map.outHeight(), Value.of(tile.patchHeight() - 1)), height);
        Value number = f.special("%ctaid.x");
        Value row = f.compute(PtxOp.DIV, number, across);
        Value picture = f.compute(PtxOp.DIV, row, down);
        return new Corner(picture, f.mul(f.sub(row, f.mul(picture, down)), height), f.mul(f.sub(number, f.mul(row, across)), width));
    }

    /** Whether a part of the tile, and so its warp, has any pixel and column that exist. */
    private Value hasResults(Corner corner, Value columns) {
        Value rowExists = Code.less(f, f.add(corner.y(), down(partRow)), map.outHeight());
        return f.compute(PtxOp.AND, rowExists, Code.less(f, f.add(firstColumn(), partColumn), columns));
    }

    /** Where this lane's row of the part's first fragment begins, at the first tap. */
    private Value leftAddress(Value patch) {
        f.comment("the pixels that this lane names");
        Value row = f.add(partRow, leftRow());
        Value pixel = f.mad(down(row), Value.of(across(tile)), f.and(row, Value.of(tile.patchWidth() - 1)));
        return f.mad(leftChunk(), Value.of(CHUNK_BYTES), f.mad(pixel, Value.of(PIXEL_BYTES), patch));
    }

    @Override
    ResultRows resultRows(Value tileRow, Value part, Value line) {
        Corner corner = corner();
        Value y = f.add(corner.y(), down(part));
        // A line is one of eight, which are neighbours across.
        Value x = f.add(corner.x(), line);
        return new PixelRows(y, x, f.mad(f.mad(corner.picture(), map.outHeight(), y), map.outWidth(), x), part);
    }

    /** Pixels down from the patch's first one to a line of the tile. */
    private Value down(Value line) {
        return f.compute(PtxOp.SHR, line, Value.of(Integer.numberOfTrailingZeros(tile.patchWidth())));
    }

    /** Of a part whose first line is {@code part}: this lane's first line is a pixel at {@code y} and {@code x}, row {@code number} of the result. */
    private final class PixelRows implements ResultRows {
        private final Value y;
        private final Value x;
        private final Value number;
        private final Value part;

        PixelRows(Value y, Value x, Value number, Value part) {
            this.y = y;
            this.x = x;
            this.number = number;
            this.part = part;
        }

        @Override
        public Value row(int below) {
            Value down = Value.of(below / tile.patchWidth());
            Value right = Value.of(below % tile.patchWidth());
            Value inside = f.compute(
                    PtxOp.AND, Code.less(f, f.add(y, down), map.outHeight()), Code.less(f, f.add(x, right), map.outWidth()));
            return f.select(PtxType.U32, inside, f.add(f.mad(map.outWidth(), down, number), right), Value.of(-1));
        }

        /** Parts of the tiles in their order. */
        @Override
        public Value slice() {
            Value parts = Value.of(tile.rows() / tile.partRows());
            return f.mad(f.special("%ctaid.x"), parts, f.compute(PtxOp.DIV, part, Value.of(tile.partRows())));
        }
    }

    /** The weights' columns that this thread loads, at one tap after another. */
    private final class Weights {
        /** Slices on the way while one is multiplied. */
        final int ahead = tile.stages() - 1;

        private final Slice slice;
        private final Value channels;
        /** The next slice's elements of the first column. */
        private final Value address;

        private final Value tapBytes;
        private final Value stepBytes;
        private final Value[] valid;
        /** Bytes from the first stage. Where a chunk's taps are no whole rounds of the stages, these change places with each chunk. */
        private final Value[] stages = new Value[tile.stages()];

        private final boolean turning = TAPS % stages.length != 0;

        Weights(Operands operands, Slice slice, Value at) {
            this.slice = slice;
            channels = operands.channels();
            Value bytes = Value.ofLong(weightType.bytes());
            Value length = f.mul(channels, Value.of(TAPS));
            Value column = f.add(firstColumn(), slice.line);
            address = f.mad(f.mulWide(column, length), bytes, f.address(operands.weights(), at, weightType.bytes()));
            tapBytes = f.mulWide(channels, Value.of(weightType.bytes()));
            stepBytes = f.mulWide(length, Value.of(slice.step * weightType.bytes()));
            valid = new Value[slice.slots];
            for (int i = 0; i < valid.length; i++) {
                valid[i] = Code.less(f, f.add(column, Value.of(i * slice.step)), operands.columns());
            }
            for (int i = 0; i < stages.length; i++) {
                Value stage = Value.of(i * tile.stageBytes());
                stages[i] = turning ? f.move(stage.as(PtxType.U32)) : stage;
            }
        }

        /** Where the slice of a tap lies, counted from the current chunk's first one. */
        Value stage(int tap) {
            return stages[tap % stages.length];
        }

        /** At a tap of a chunk, fetches the slice that is so many ahead; where it is the next chunk's, only if there is one. */
        void fetchAhead(int tap, Value at, Value more, Value next) {
            int fetched = tap + ahead;
            if (fetched < TAPS) {
                fetch(at, stage(fetched));
            } else {
                if (fetched == TAPS) {
                    f.assign(address, PtxOp.MAD, tapBytes, Value.ofLong(-TAPS), address);
                    f.assign(address, PtxOp.ADD, address, Value.ofLong((long) DEPTH * weightType.bytes()));
                }
                f.when(more, () -> fetch(next, stage(fetched)));
            }
            fetched();
        }

        /** Fetches a slice and goes on to the next tap. */
        void fetch(Value at, Value stage) {
            Value line = address;
            for (int i = 0; i < valid.length; i++) {
                line = i == 0 ? line : f.add(line, stepBytes);
                slice.fetch(i, line, valid[i], at, channels, stage);
            }
            f.assign(address, PtxOp.ADD, address, tapBytes);
        }

        /** Behind a chunk's last tap. */
        void turnStages() {
            if (turning) {
                Value before = f.move(stages[0]);
                for (int i = 1; i < stages.length; i++) {
                    f.assign(stages[i - 1], PtxOp.MOV, stages[i]);
                }
                f.assign(stages[stages.length - 1], PtxOp.MOV, before);
            }
        }
    }
}
