package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * The text that brings a {@link PatchProduct}'s pixels to shared memory: global memory to registers, there {@link OnLoad}, then on. A thread
 * has a few pixels of a patch ("slots"), all at the same eight channels of a chunk.
 *
 * <p>Registers are few beside the sums, so what is needed seldom lies in shared memory: where each pixel is, a chunk's factors, and what waits
 * longest for its place in the patch.
 */
final class PatchPixels {
    private static final int CHUNK_BYTES = TensorProduct.CHUNK_BYTES;
    private static final int LINE_CHUNKS = TensorProduct.DEPTH / TensorProduct.UNIT;
    /** Pixels that a warp loads at once. */
    private static final int WARP_PIXELS = Code.WARP / LINE_CHUNKS;
    /** In the place of a pixel that is outside the picture. */
    private static final int NONE = -1;
    /** Factors and addends of a chunk. */
    private static final int FACTORS = 2 * TensorProduct.DEPTH;
    /** Slots that wait in registers for the patch's place to be free. Those before them are parked in shared memory. */
    private static final int WAITING_IN_REGISTERS = 4;
    /** Channels whose factors are in registers at the same time. */
    private static final int NEIGHBOURS = 4;

    private final PtxFunction f;
    private final Tile tile;
    private final DataType type;
    private final Value in;
    private final Value channels;
    private final Value pixelBytes;
    private final Value depth;
    private final int slots;
    /** Pixels from slot to slot. */
    private final int step;
    private final Value patch;
    /** Of the first slot in the patch. */
    private final Value shared;
    /** Of the first slot's place among all pictures' pixels, or {@link #NONE}. */
    private final Value positions;

    private final Value[][] travelling;
    /** Where this thread parks its first slot; {@code null} where it parks none. */
    private final Value parking;

    /** Whether the last slot is a pixel of the patch. */
    private final Value lastExists;
    /** {@code null} where nothing is done to elements. */
    private final Factors factors;

    /**
     * @param channels of the map
     * @param depth this thread's first channel within a chunk, {@code 8 · (thread mod 4)}
     * @param load {@code null} where nothing is done to elements
     */
    PatchPixels(
            PtxFunction f,
            Tile tile,
            DataType type,
            ConvolutionMap map,
            PatchProduct.Corner corner,
            Value channels,
            Value thread,
            Value depth,
            LoadText load) {
        this.f = f;
        this.tile = tile;
        this.type = type;
        this.channels = channels;
        this.depth = depth;
        in = map.in();
        pixelBytes = f.mul(channels, Value.of(type.bytes()));
        step = tile.threads() / LINE_CHUNKS;
        slots = slots(tile);
        // Eight neighbouring lanes store two pixels that are four apart, whose banks are different ones.
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value inWarp = f.compute(PtxOp.OR, f.compute(PtxOp.SHR, lane, Value.of(3)), f.and(lane, Value.of(4)));
        Value first = f.mad(f.compute(PtxOp.SHR, thread, Value.of(5)), Value.of(WARP_PIXELS), inWarp);
        patch = f.shared("patch", patchBytes(tile));
        shared = f.mad(first, Value.of(PatchProduct.PIXEL_BYTES), f.mad(depth, Value.of(type.bytes()), patch));
        positions = f.mad(first, Value.of(Integer.BYTES), f.shared("positions", positionBytes(tile)));
        lastExists = Code.less(f, first, Value.of(PatchProduct.pixels(tile) - (slots - 1) * step));
        travelling = new Value[slots][CHUNK_BYTES / Integer.BYTES];
        for (Value[] slot : travelling) {
            for (int j = 0; j < slot.length; j++) {
                slot[j] = f.register(PtxType.B32);
            }
        }
        parking = parked(tile) == 0 ? null : f.mad(thread, Value.of(CHUNK_BYTES), f.shared("parking", parkingBytes(tile)));
        f.when(f.compare(Comparison.EQUAL, depth, Value.of(0)), () -> notePositions(map, corner, first));
        factors = load == null ? null : new Factors(load, corner.picture(), thread);
        f.barrier();
    }

    static int slots(Tile tile) {
        return Code.blocks(PatchProduct.pixels(tile), tile.threads() / LINE_CHUNKS);
    }

    private static int patchBytes(Tile tile) {
        return PatchProduct.pixels(tile) * PatchProduct.PIXEL_BYTES;
    }

    private static int positionBytes(Tile tile) {
        return slots(tile) * (tile.threads() / LINE_CHUNKS) * Integer.BYTES;
    }

    /** Registers that a thread's slots wait in. */
    static int waitingWords(Tile tile) {
        return Math.min(slots(tile), WAITING_IN_REGISTERS) * CHUNK_BYTES / Integer.BYTES;
    }

    private static int parked(Tile tile) {
        return Math.max(0, slots(tile) - WAITING_IN_REGISTERS);
    }

    private static int parkingBytes(Tile tile) {
        return parked(tile) * tile.threads() * CHUNK_BYTES;
    }

    /** The most shared memory that it takes. */
    static int sharedBytes(Tile tile) {
        return patchBytes(tile) + positionBytes(tile) + parkingBytes(tile) + FACTORS * Float.BYTES;
    }

    int slots() {
        return slots;
    }

    /** The patch's first pixel in shared memory. */
    Value patch() {
        return patch;
    }

    private void notePositions(ConvolutionMap map, PatchProduct.Corner corner, Value first) {
        Value stored = f.compute(PtxOp.MIN, map.inRows(), f.sub(map.height(), map.firstInRow()));
        Value top = f.sub(f.add(f.add(corner.y(), map.firstOutRow()), Value.of(-1)), map.firstInRow());
        Value firstStored = f.mul(corner.picture(), map.inRows());
        int across = PatchProduct.across(tile);
        for (int i = 0; i < slots; i++) {
            Value pixel = f.add(first, Value.of(i * step));
            Value down = f.compute(PtxOp.DIV, pixel, Value.of(across));
            Value row = f.add(top, down);
            Value column = f.add(f.add(corner.x(), f.sub(pixel, f.mul(down, Value.of(across)))), Value.of(-1));
            // Negative places are huge when read without a sign.
            Value inside = f.compute(PtxOp.AND, Code.less(f, row, stored), Code.less(f, column, map.width()));
            if (i == slots - 1) {
                inside = f.compute(PtxOp.AND, inside, lastExists);
            }
            Value position = f.mad(f.add(firstStored, row), map.width(), column);
            f.store(Space.SHARED, positions, i * step * Integer.BYTES, f.select(PtxType.U32, inside, position, Value.of(NONE)));
        }
    }

    private Value position(int slot) {
        return f.load(Space.SHARED, PtxType.U32, positions, slot * step * Integer.BYTES);
    }

    private Value exists(Value position) {
        return f.compare(Comparison.NOT_EQUAL, position, Value.of(NONE));
    }

    /**
     * Loads a slot's elements, or zeros outside the picture and beyond the last channel.
     *
     * @param at this thread's first channel
     * @param there whether there is such a chunk at all
     */
    void fetch(int slot, Value at, Value there) {
        Value position = position(slot);
        Value address = f.register(PtxType.U64);
        f.emit("mad.wide.u32", address.text(), position.text(), pixelBytes.text(), f.address(in, at, type.bytes()).text());
        for (Value target : travelling[slot]) {
            f.assign(target, PtxOp.MOV, Value.of(0));
        }
        Value inside = f.compute(PtxOp.AND, f.compute(PtxOp.AND, exists(position), there), Code.less(f, at, channels));
        f.guarded(inside, () -> f.load(Space.READ_ONLY, address, 0, travelling[slot]));
    }

    /** Loads a chunk's factors to registers; arguments as for {@link #fetch}. */
    void fetchFactors(Value at, Value there) {
        if (factors != null) {
            factors.fetch(f.sub(at, depth), there);
        }
    }

    /** Puts them to shared memory, where {@link #apply} finds them behind a barrier. */
    void storeFactors() {
        if (factors != null) {
            factors.store();
        }
    }

    /** Does to a slot's elements what is to be done; outside the picture zeros stay. */
    void apply(int slot) {
        if (factors == null) {
            return;
        }
        Value exists = exists(position(slot));
        Value[] words = travelling[slot];
        int half = NEIGHBOURS / 2;
        for (int j = 0; j < words.length; j += half) {
            int from = j;
            // A branch for each half, so that the assembler does not mix them, which takes registers that there are not.
            f.when(exists, () -> {
                Value[] applied = factors.load.words(tile.arithmetic(), factors.neighbours(2 * from), words[from], words[from + 1]);
                for (int k = 0; k < half; k++) {
                    f.assign(words[from + k], PtxOp.MOV, applied[k]);
                }
            });
        }
    }

    /** Moves a slot out of the registers, if it is one that does not wait there. */
    void park(int slot) {
        if (slot < parked(tile)) {
            f.store(Space.SHARED, parking, slot * tile.threads() * CHUNK_BYTES, travelling[slot]);
        }
    }

    /** Brings all parked slots back. */
    void unpark() {
        for (int i = 0; i < parked(tile); i++) {
            f.load(Space.SHARED, parking, i * tile.threads() * CHUNK_BYTES, travelling[i]);
        }
    }

    /** Puts all slots into the patch. */
    void store() {
        for (int i = 0; i < slots; i++) {
            Value[] words = travelling[i];
            int offset = i * step * PatchProduct.PIXEL_BYTES;
            if (i == slots - 1) {
                f.guarded(lastExists, () -> f.store(Space.SHARED, shared, offset, words));
            } else {
                f.store(Space.SHARED, shared, offset, words);
            }
        }
    }

    /** A chunk's factors and addends; beyond the last channel zeros. Each of the first two warps brings one sort. */
    private final class Factors {
        private final LoadText load;
        private final Value thread;
        private final Value base;
        private final Value loads;
        /** This thread's first one's element. */
        private final Value element;

        private final Value travelling = f.register(PtxType.F32);

        Factors(LoadText load, Value picture, Value thread) {
            this.load = load;
            this.thread = thread;
            base = f.shared("factors", FACTORS * Float.BYTES);
            loads = Code.less(f, thread, Value.of(FACTORS));
            Value sort = f.and(f.compute(PtxOp.SHR, thread, Value.of(5)), Value.of(1));
            element = f.add(f.mad(sort, channels, load.begin(picture)), f.and(thread, Value.of(Code.WARP - 1)));
        }

        void fetch(Value channel, Value there) {
            f.assign(travelling, PtxOp.MOV, Value.of(0f));
            Value exists = Code.less(f, f.add(channel, f.and(thread, Value.of(Code.WARP - 1))), channels);
            Value inside = f.compute(PtxOp.AND, f.compute(PtxOp.AND, loads, there), exists);
            Value address = f.address(load.factors(), f.add(element, channel), Float.BYTES);
            f.guarded(inside, () -> f.load(Space.READ_ONLY, address, 0, travelling));
        }

        void store() {
            Value shared = f.mad(thread, Value.of(Float.BYTES), base);
            f.guarded(loads, () -> f.store(Space.SHARED, shared, 0, travelling));
        }

        LoadText.Neighbours neighbours(int from) {
            Value first = f.mad(depth, Value.of(Float.BYTES), base);
            Value[] scales = Code.loadFloats(f, Space.SHARED, DataType.F32, NEIGHBOURS, first, from * Float.BYTES);
            int addends = TensorProduct.DEPTH + from;
            return new LoadText.Neighbours(scales, Code.loadFloats(f, Space.SHARED, DataType.F32, NEIGHBOURS, first, addends * Float.BYTES));
        }
    }
}
