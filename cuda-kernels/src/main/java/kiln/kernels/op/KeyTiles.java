package kiln.kernels.op;

import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Text that brings tiles of one head's keys and values to shared memory, the next while the present one is worked on: by {@code cp.async},
 * or on older cards through registers. Lines beyond the last key are zeros.
 *
 * <p>Lines lie one behind the other, an odd number of 16 bytes apart, so that eight of them at the same channels are in different banks.
 */
final class KeyTiles {
    private static final int UNIT = TensorAttention.UNIT;
    private static final int UNIT_BYTES = UNIT * TensorCode.HALF_BYTES;
    private static final int WORDS = 4;

    private final PtxFunction f;
    private final AttentionParameters p;
    private final int keys;
    private final int headSize;
    private final int slots;
    private final boolean async;
    private final Value[] line;
    private final Value[] inTile;
    private final Value[] target;
    private final Value[] kElement;
    private final Value[] vElement;
    private final Value[][] travelling;
    /** Shared addresses: the tile in work, and where the next one goes. */
    private final Value present;

    private final Value next;

    KeyTiles(PtxFunction f, AttentionParameters p, int headSize, int keys, int threads, boolean async, Value thread) {
        this.f = f;
        this.p = p;
        this.keys = keys;
        this.headSize = headSize;
        this.async = async;
        int perLine = headSize / UNIT;
        int units = keys * perLine;
        slots = Code.blocks(units, threads);
        line = new Value[slots];
        inTile = new Value[slots];
        target = new Value[slots];
        kElement = new Value[slots];
        vElement = new Value[slots];
        travelling = new Value[slots][WORDS];
        f.comment("the parts of a tile that this thread loads");
        for (int i = 0; i < slots; i++) {
            Value place = i == 0 ? thread : f.add(thread, Value.of(i * threads));
            Value whole = f.compute(PtxOp.DIV, place, Value.of(perLine));
            Value unit = f.sub(place, f.mul(whole, Value.of(perLine)));
            target[i] = f.mad(whole, Value.of(lineBytes(headSize)), f.mul(unit, Value.of(UNIT_BYTES)));
            Value channel = f.mul(unit, Value.of(UNIT));
            kElement[i] = f.mad(whole, p.kStride, channel);
            vElement[i] = f.mad(whole, p.vStride, channel);
            line[i] = whole;
            if ((i + 1) * threads > units) {
                inTile[i] = Code.less(f, place, Value.of(units));
                // Never a line that is there.
                line[i] = f.select(PtxType.U32, inTile[i], whole, Value.of(Integer.MAX_VALUE));
            }
            for (int j = 0; j < WORDS && !async; j++) {
                travelling[i][j] = f.register(PtxType.B32);
            }
        }
        present = f.shared("key_tiles", sharedBytes(headSize, keys));
        next = f.add(present, Value.of(2 * tileBytes()));
    }

    /** From a line to the one below. */
    static int lineBytes(int headSize) {
        return (headSize / UNIT | 1) * UNIT_BYTES;
    }

    static int sharedBytes(int headSize, int keys) {
        return 4 * keys * lineBytes(headSize);
    }

    private int tileBytes() {
        return keys * lineBytes(headSize);
    }

    Value keysAddress() {
        return present;
    }

    /** Values lie that many bytes behind the keys. */
    int valuesOffset() {
        return tileBytes();
    }

    /** Begins with the first tile; {@link #arrive} then waits for it. */
    void first() {
        Value zero = f.move(Value.of(0).as(PtxType.U32));
        if (async) {
            copy(p.k, p.kStride, kElement, zero, present, 0);
            copy(p.v, p.vStride, vElement, zero, present, tileBytes());
        } else {
            load(p.k, p.kStride, kElement, zero);
            store(present, 0);
            load(p.v, p.vStride, vElement, zero);
            store(present, tileBytes());
        }
    }

    /** Waits until the present tile is there and all have done with the one before. */
    void arrive() {
        if (async) {
            TensorCode.awaitCopies(f);
        }
        f.barrier();
    }

    /** To be called before the present tile's keys are used: the next tile, from key {@code first} on, if {@code wanted}. */
    void beforeKeys(Value first, Value wanted) {
        f.when(wanted, () -> {
            f.comment("the next tile sets out");
            if (async) {
                copy(p.k, p.kStride, kElement, first, next, 0);
                copy(p.v, p.vStride, vElement, first, next, tileBytes());
            } else {
                load(p.k, p.kStride, kElement, first);
            }
        });
    }

    /** Between the present tile's keys and values. */
    void betweenKeysAndValues(Value first, Value wanted) {
        if (!async) {
            f.when(wanted, () -> {
                store(next, 0);
                load(p.v, p.vStride, vElement, first);
            });
        }
    }

    void afterValues(Value wanted) {
        if (!async) {
            f.when(wanted, () -> store(next, tileBytes()));
        }
        Value swapped = f.move(present);
        f.assign(present, PtxOp.MOV, next);
        f.assign(next, PtxOp.MOV, swapped);
    }

    private Value begin(Value base, Value stride, Value first) {
        return f.mad(f.mulWide(first, stride), Value.ofLong(TensorCode.HALF_BYTES), base);
    }

    private Value inRange(int slot, Value left) {
        return f.compare(Comparison.LESS, line[slot].as(PtxType.S32), left);
    }

    private Value left(Value first) {
        return f.sub(p.keys, first).as(PtxType.S32);
    }

    private void copy(Value base, Value stride, Value[] element, Value first, Value shared, int offset) {
        Value tile = begin(base, stride, first);
        Value left = left(first);
        for (int i = 0; i < slots; i++) {
            Value bytes = f.select(PtxType.U32, inRange(i, left), Value.of(UNIT_BYTES), Value.of(0));
            Value address = f.address(tile, element[i], TensorCode.HALF_BYTES);
            Value to = f.add(shared, target[i]);
            onlyInTile(i, () -> TensorCode.copy(f, to, offset, address, bytes));
        }
    }

    private void load(Value base, Value stride, Value[] element, Value first) {
        Value tile = begin(base, stride, first);
        Value left = left(first);
        for (int i = 0; i < slots; i++) {
            Value[] words = travelling[i];
            for (Value word : words) {
                f.assign(word, PtxOp.MOV, Value.of(0));
            }
            Value address = f.address(tile, element[i], TensorCode.HALF_BYTES);
            f.guarded(inRange(i, left), () -> f.load(Space.GLOBAL, address, 0, words));
        }
    }

    private void store(Value shared, int offset) {
        for (int i = 0; i < slots; i++) {
            Value to = f.add(shared, target[i]);
            Value[] words = travelling[i];
            onlyInTile(i, () -> f.store(Space.SHARED, to, offset, words));
        }
    }

    /** The last slot may have places behind the tile. */
    private void onlyInTile(int slot, Runnable instruction) {
        if (inTile[slot] == null) {
            instruction.run();
        } else {
            f.guarded(inTile[slot], instruction);
        }
    }
}
