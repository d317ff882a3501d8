package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * A 3×3 convolution (stride 1, padded by one above and on the left) on tensor cores whose tile's rows are a rectangle of pixels: the
 * rectangle with its border ("patch") goes to shared memory once for each {@link #DEPTH} channels and is read there at all nine taps, where
 * {@link TiledProduct} loads every pixel nine times.
 *
 * <p>blockIdx.x counts the patches of all pictures, those of a row first. The sum runs over chunks of channels, and within a chunk over the
 * taps, in the same order wherever a pixel lies in its patch; so a band of the result is what it is in the whole, to the bit. Weights come
 * slice by slice as for {@link TensorProduct}. Only one patch is in shared memory: the next one travels through registers while the taps are
 * multiplied, there {@link OnLoad} is done to it, and behind the ninth tap it takes the place of the one before.
 *
 * <p>A pixel takes {@link #PIXEL_BYTES} there. A tap is then a constant distance, and the chunks of eight neighbours, which a matrix of
 * {@code ldmatrix} is, lie in different banks.
 */
final class PatchProduct extends TensorProduct {
    private static final int WINDOW = 3;
    static final int TAPS = WINDOW * WINDOW;
    /** 80: eight neighbours begin 0, 20, 8, 28, 16, 4, 24 and 12 banks from the first, and take four each. */
    private static final int PIXEL_BYTES = LINE_BYTES + CHUNK_BYTES;

    private static final int LINE_CHUNKS = DEPTH / UNIT;
    /** Pixels that a warp loads at once. */
    private static final int WARP_PIXELS = Code.WARP / LINE_CHUNKS;
    /** Between a load of pixels and the first use of what it brings. */
    private static final int TAPS_ON_THE_WAY = 3;

    /**
     * The map that is read and the one that is computed, as registers of the entry's parameters.
     *
     * @param firstOutRow of the band that is computed, whose rows are {@code outHeight}
     * @param firstInRow of the picture's rows that are stored, {@code inRows} of each picture
     */
    record Map(
            Value in, Value height, Value width, Value outHeight, Value outWidth, Value firstOutRow, Value firstInRow, Value inRows) {}

    private final OnLoad onLoad;
    /** Pixels across a patch, border included. */
    private final int across;

    private Map map;
    private Value picture;
    /** The tile's corner in the result, then this lane's first pixel. */
    private Value y;

    private Value x;

    PatchProduct(PtxFunction f, DataType type, DataType weights, Tile tile, OnLoad onLoad) {
        super(f, type, weights, tile);
        this.onLoad = onLoad;
        across = across(tile);
    }

    private static int across(Tile tile) {
        return tile.patchWidth() + WINDOW - 1;
    }

    /** Pixels of a patch, border included. */
    static int pixels(Tile tile) {
        return across(tile) * (tile.patchHeight() + WINDOW - 1);
    }

    /** Shared memory of a patch. */
    static int patchBytes(Tile tile) {
        return pixels(tile) * PIXEL_BYTES;
    }

    /** Patches of so many pictures. */
    static int patches(Tile tile, int pictures, int height, int width) {
        return pictures * Code.blocks(height, tile.patchHeight()) * Code.blocks(width, tile.patchWidth());
    }

    /** @param operands where the sum has parts, {@code slicesOfPart} counts chunks of channels */
    void emit(Operands operands, Map map, Results results) {
        this.map = map;
        Value thread = f.special("%tid.x");
        findTile();
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(tile.columns()));
        int stageBytes = tile.stageBytes();
        Value shared = f.shared("slices", tile.sharedBytes());
        Value patch = f.add(shared, Value.of(tile.stages() * stageBytes));
        f.comment("the pixels and columns whose elements this thread loads");
        Slice slice = slice(shared, Factor.RIGHT, weightType, tile.columns(), thread);
        WeightLines weights = new WeightLines(operands, TAPS, slice, firstColumn);
        Pixels pixels = new Pixels(patch, operands.channels(), thread);
        begin(thread, slice);
        Value left = leftAddress(patch);

        Value channel = f.move(Value.of(0).as(PtxType.U32));
        Value chunks = f.compute(PtxOp.SHR, f.add(operands.channels(), Value.of(DEPTH - 1)), Value.of(Integer.numberOfTrailingZeros(DEPTH)));
        if (operands.part() != null) {
            f.comment("this block's part of the channels");
            Value first = f.mul(operands.part(), operands.slicesOfPart());
            f.assign(chunks, PtxOp.MIN, f.sub(chunks, first), operands.slicesOfPart());
            f.assign(channel, PtxOp.MUL, first, Value.of(DEPTH));
        }
        Value[] stages = new Value[tile.stages()];
        for (int i = 0; i < stages.length; i++) {
            stages[i] = Value.of(i * stageBytes);
            if (TAPS % stages.length != 0) {
                // A chunk does not end where it began: the stages change places.
                stages[i] = f.move(stages[i].as(PtxType.U32));
            }
        }
        f.comment("the first patch and weights");
        for (int i = 0; i < pixels.slots; i++) {
            pixels.fetch(i, channel);
        }
        int ahead = stages.length - 1;
        Value element = f.move(f.add(channel, slice.depth));
        for (int i = 0; i < ahead; i++) {
            weights.fetch(element, f.add(channel, slice.depth), stages[i]);
            f.assign(element, PtxOp.ADD, element, operands.channels());
            slice.store(stages[i]);
            fetched();
        }
        pixels.store();
        f.loop(() -> f.compare(Comparison.NOT_EQUAL, chunks, Value.of(0)), () -> {
            Value more = f.compare(Comparison.GREATER, chunks, Value.of(1));
            Value next = f.add(channel, Value.of(DEPTH));
            Value end = f.select(PtxType.U32, more, operands.channels(), Value.of(0));
            for (int tap = 0; tap < TAPS; tap++) {
                f.comment("tap " + tap);
                await(ahead - 1);
                // Behind it these weights are there for all, as is the patch, and all are done with the stage that is written next.
                f.barrier();
                Value writing = stages[(tap + ahead) % stages.length];
                if (tap + ahead == TAPS) {
                    f.assign(element, PtxOp.ADD, element, f.mad(operands.channels(), Value.of(-TAPS), Value.of(DEPTH)));
                }
                if (tap + ahead < TAPS) {
                    weights.fetch(element, f.add(channel, slice.depth), writing);
                } else {
                    f.when(more, () -> weights.fetch(element, f.add(next, slice.depth), writing));
                }
                f.assign(element, PtxOp.ADD, element, operands.channels());
                fetched();
                int slot = tap - (TAPS - TAPS_ON_THE_WAY - pixels.slots);
                if (slot >= 0 && slot < pixels.slots) {
                    pixels.fetch(slot, next, end);
                }
                int distance = (tap / WINDOW * across + tap % WINDOW) * PIXEL_BYTES;
                for (int k = 0; k < STEPS; k++) {
                    int offset = distance + k * FRAGMENT_DEPTH * HALF;
                    multiply(k, left, offset, Tile.MMA_ROWS / tile.patchWidth() * across * PIXEL_BYTES, stages[tap % stages.length]);
                }
                slice.store(writing);
            }
            f.when(more, () -> {
                f.comment("when all are done with the patch, the next one takes its place");
                f.barrier();
                pixels.store();
            });
            if (TAPS % stages.length != 0) {
                turn(stages);
            }
            f.assign(channel, PtxOp.MOV, next);
            f.assign(chunks, PtxOp.SUB, chunks, Value.of(1));
        });
        finish(results, null, firstColumn);
    }

    /** Of two stages, the other is then first. */
    private void turn(Value[] stages) {
        Value first = f.move(stages[0]);
        f.assign(stages[0], PtxOp.MOV, stages[1]);
        f.assign(stages[1], PtxOp.MOV, first);
    }

    private void findTile() {
        f.comment("the picture and the tile's corner");
        Value width = Value.of(tile.patchWidth());
        Value height = Value.of(tile.patchHeight());
        Value acrossMap = f.compute(PtxOp.DIV, f.add(map.outWidth(), Value.of(tile.patchWidth() - 1)), width);
        Value downMap = f.compute(PtxOp.DIV, f.add(map.outHeight(), Value.of(tile.patchHeight() - 1)), height);
        Value number = f.special("%ctaid.x");
        Value row = f.compute(PtxOp.DIV, number, acrossMap);
        x = f.mul(f.sub(number, f.mul(row, acrossMap)), width);
        picture = f.compute(PtxOp.DIV, row, downMap);
        y = f.mul(f.sub(row, f.mul(picture, downMap)), height);
    }

    /** Where this lane's row of the part's first fragment begins, at the first tap. */
    private Value leftAddress(Value patch) {
        f.comment("the pixels that this lane names");
        Value row = f.add(partRow, leftRow());
        Value down = f.compute(PtxOp.SHR, row, Value.of(Integer.numberOfTrailingZeros(tile.patchWidth())));
        Value right = f.and(row, Value.of(tile.patchWidth() - 1));
        Value pixel = f.mad(down, Value.of(across), right);
        return f.mad(leftChunk(), Value.of(CHUNK_BYTES), f.mad(pixel, Value.of(PIXEL_BYTES), patch));
    }

    @Override
    Value firstRow(Value tileRow) {
        Value down = f.compute(PtxOp.SHR, partRow, Value.of(Integer.numberOfTrailingZeros(tile.patchWidth())));
        y = f.add(y, down);
        x = f.add(x, f.compute(PtxOp.SHR, lane, Value.of(2)));
        return f.mad(f.mad(picture, map.outHeight(), y), map.outWidth(), x);
    }

    @Override
    Value row(Value firstRow, int fragment, int half) {
        int row = fragment * Tile.MMA_ROWS + half * HALF_ROWS;
        int down = row / tile.patchWidth();
        int right = row % tile.patchWidth();
        Value inside = f.compute(
                PtxOp.AND,
                Code.less(f, f.add(y, Value.of(down)), map.outHeight()),
                Code.less(f, f.add(x, Value.of(right)), map.outWidth()));
        Value number = f.add(f.mad(map.outWidth(), Value.of(down), firstRow), Value.of(right));
        return f.select(PtxType.U32, inside, number, Value.of(-1));
    }

    /** The pixels of a patch that this thread loads ("slots"), all at the same eight channels of a chunk. */
    private final class Pixels {
        private static final int NONE = -1;

        final int slots;
        private final int step;
        private final Value channels;
        private final Value depth;
        private final Value shared;
        /** Where each pixel is among all pictures' pixels, or {@link #NONE}: in shared memory, as registers are few. */
        private final Value positions;

        private final Value pixelBytes;
        private final Value[][] travelling;
        /** Whether the last slot is a pixel of the patch. */
        private final Value lastExists;

        Pixels(Value patch, Value channels, Value thread) {
            this.channels = channels;
            int pixels = pixels(tile);
            step = tile.threads() / LINE_CHUNKS;
            slots = Code.blocks(pixels, step);
            // Eight neighbouring lanes store two pixels that are four apart, whose banks are different ones.
            Value lane = f.and(thread, Value.of(Code.WARP - 1));
            Value chunk = f.and(lane, Value.of(LINE_CHUNKS - 1));
            Value inWarp = f.compute(PtxOp.OR, f.compute(PtxOp.SHR, lane, Value.of(3)), f.and(lane, Value.of(4)));
            Value first = f.mad(f.compute(PtxOp.SHR, thread, Value.of(5)), Value.of(WARP_PIXELS), inWarp);
            depth = f.mul(chunk, Value.of(UNIT));
            shared = f.mad(first, Value.of(PIXEL_BYTES), f.mad(chunk, Value.of(CHUNK_BYTES), patch));
            positions = f.mad(first, Value.of(Integer.BYTES), f.shared("positions", slots * step * Integer.BYTES));
            pixelBytes = f.mul(channels, Value.of(type.bytes()));
            lastExists = Code.less(f, first, Value.of(pixels - (slots - 1) * step));
            travelling = new Value[slots][CHUNK_BYTES / Integer.BYTES];
            for (int i = 0; i < slots; i++) {
                for (int j = 0; j < travelling[i].length; j++) {
                    travelling[i][j] = f.register(PtxType.B32);
                }
            }
            Value stored = f.compute(PtxOp.MIN, map.inRows(), f.sub(map.height(), map.firstInRow()));
            Value top = f.sub(f.add(f.add(y, map.firstOutRow()), Value.of(-1)), map.firstInRow());
            Value firstStored = f.mul(picture, map.inRows());
            f.when(f.compare(Comparison.EQUAL, chunk, Value.of(0)), () -> {
                for (int i = 0; i < slots; i++) {
                    Value pixel = f.add(first, Value.of(i * step));
                    Value down = f.compute(PtxOp.DIV, pixel, Value.of(across));
                    Value right = f.sub(pixel, f.mul(down, Value.of(across)));
                    Value row = f.add(top, down);
                    Value column = f.add(f.add(x, right), Value.of(-1));
                    // Negative places are huge when read without a sign.
                    Value inside = f.compute(PtxOp.AND, Code.less(f, row, stored), Code.less(f, column, map.width()));
                    Value position = f.mad(f.add(firstStored, row), map.width(), column);
                    Value value = f.select(PtxType.U32, inside, position, Value.of(NONE));
                    f.store(Space.SHARED, positions, i * step * Integer.BYTES, value);
                }
            });
            f.barrier();
        }

        void fetch(int slot, Value channel) {
            fetch(slot, channel, channels);
        }

        /** Loads a slot's elements, or zeros outside the picture and from the channel {@code end} on. */
        void fetch(int slot, Value channel, Value end) {
            Value at = f.add(channel, depth);
            Value address = f.register(PtxType.U64);
            Value base = f.address(map.in(), at, type.bytes());
            Value position = f.load(Space.SHARED, PtxType.U32, positions, slot * step * Integer.BYTES);
            f.emit("mad.wide.u32", address.text(), position.text(), pixelBytes.text(), base.text());
            for (Value target : travelling[slot]) {
                f.assign(target, PtxOp.MOV, Value.of(0));
            }
            Value inside = f.compute(PtxOp.AND, f.compare(Comparison.NOT_EQUAL, position, Value.of(NONE)), Code.less(f, at, end));
            f.guarded(inside, () -> f.load(Space.READ_ONLY, address, 0, travelling[slot]));
        }

        void store() {
            for (int i = 0; i < slots; i++) {
                Value[] words = travelling[i];
                int offset = i * step * PIXEL_BYTES;
                if (i == slots - 1) {
                    f.guarded(lastExists, () -> f.store(Space.SHARED, shared, offset, words));
                } else {
                    f.store(Space.SHARED, shared, offset, words);
                }
            }
        }
    }
}
