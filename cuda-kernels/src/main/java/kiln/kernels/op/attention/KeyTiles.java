package kiln.kernels.op.attention;

import kiln.kernels.op.Code;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Text that brings tiles of one head's keys and values to shared memory, the next while the present one is worked on: by {@code cp.async},
 * or on older cards through registers, a quarter at a time. Lines beyond the last key are zeros.
 *
 * <p>Lines lie one behind the other, an odd number of 16 bytes apart, so that eight of them at the same channels are in different banks. A
 * pass of the block's threads loads as many whole lines as it can; a thread has the same channels in all passes.
 */
final class KeyTiles {
    /** Steps of {@link #advance}: half of the keys, the other half, half of the values, the other half. */
    static final int QUARTERS = 4;

    private static final int UNIT = TensorAttention.UNIT;
    private static final int UNIT_BYTES = UNIT * TensorCode.HALF_BYTES;
    private static final int WORDS = 4;

    private final PtxFunction f;
    private final AttentionParameters p;
    private final int keys;
    private final int headSize;
    private final boolean async;
    private final int linesPerPass;
    private final int passes;
    /** Whether this thread loads in all passes but the last, and in that; {@code null}: all threads do. */
    private final Value active;

    private final Value activeLast;
    /** This thread's line in the first pass, and where its place in it lies behind a tile's beginning. */
    private final Value line;

    private final Value target;
    /** This thread's place in the next tile to load. */
    private final Value k;

    private final Value v;
    /** How many keys are left from the present tile's first on. */
    private final Value left;

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
        linesPerPass = Math.min(keys, threads / perLine);
        passes = Code.blocks(keys, linesPerPass);
        f.comment("the part of a tile that this thread loads");
        line = f.compute(PtxOp.DIV, thread, Value.of(perLine));
        Value unit = f.sub(thread, f.mul(line, Value.of(perLine)));
        Value channel = f.mul(unit, Value.of(UNIT));
        target = f.mad(line, Value.of(lineBytes(headSize)), f.mul(unit, Value.of(UNIT_BYTES)));
        k = f.address(p.k, f.mad(line, p.kStride, channel), TensorCode.HALF_BYTES);
        v = f.address(p.v, f.mad(line, p.vStride, channel), TensorCode.HALF_BYTES);
        active = linesPerPass * perLine == threads ? null : Code.less(f, line, Value.of(linesPerPass));
        int linesInLast = keys - (passes - 1) * linesPerPass;
        activeLast = linesInLast == linesPerPass ? active : Code.less(f, line, Value.of(linesInLast));
        left = f.move(p.keys).as(PtxType.S32);
        travelling = new Value[(passes + 1) / 2][WORDS];
        for (Value[] words : travelling) {
            for (int i = 0; i < WORDS && !async; i++) {
                words[i] = f.register(PtxType.B32);
            }
        }
        present = f.shared("key_tiles", sharedBytes(headSize, keys));
        next = f.add(present, Value.of(2 * tileBytes()));
    }

    /** From a line to the one below. */
    static int lineBytes(int headSize) {
        return (headSize / UNIT | 1) * UNIT_BYTES;
    }

    /**
     * Two tiles of keys and of values. Behind the last line there is room for the addresses of those lanes that an {@code ldmatrix} of two
     * matrices does not read from: sm_75 wants them valid all the same.
     */
    static int sharedBytes(int headSize, int keys) {
        return 4 * keys * lineBytes(headSize) + UNIT_BYTES;
    }

    private int tileBytes() {
        return keys * lineBytes(headSize);
    }

    /** How many keys are left from the present tile's first on; a signed number. */
    Value left() {
        return left;
    }

    /** Shared address. */
    Value keysAddress() {
        return present;
    }

    /** Values lie that many bytes behind the keys. */
    int valuesOffset() {
        return tileBytes();
    }

    /** Begins with the first tile; {@link #arrive} then waits for it. */
    void first() {
        for (int quarter = 0; quarter <= QUARTERS; quarter++) {
            advanceTo(quarter, present, 0);
        }
    }

    /** Waits until the present tile is there and all have done with the one before. */
    void arrive() {
        if (async) {
            TensorCode.awaitCopies(f);
        }
        f.barrier();
    }

    /**
     * To be called for quarters 0 to 4 in order, spread over the work on the present tile: sends the next tile's quarter on its way if the
     * tile is {@code wanted}, and stores the one before, so that the work in between hides the way. Asynchronous copies all set out at the
     * first.
     */
    void advance(int quarter, Value wanted) {
        if (quarter == 0 || !async) {
            f.when(wanted, () -> advanceTo(quarter, next, keys));
        }
        if (quarter == QUARTERS) {
            f.assign(left, PtxOp.ADD, left, Value.of(-keys));
            Value swapped = f.move(present);
            f.assign(present, PtxOp.MOV, next);
            f.assign(next, PtxOp.MOV, swapped);
        }
    }

    /** @param ahead keys from the present tile's first to that of the tile to load */
    private void advanceTo(int quarter, Value shared, int ahead) {
        f.comment("the next tile");
        if (async) {
            for (int i = 0; i < QUARTERS && quarter == 0; i++) {
                load(i, shared, ahead);
            }
            return;
        }
        if (quarter > 0) {
            store(quarter - 1, shared);
        }
        if (quarter < QUARTERS) {
            load(quarter, shared, ahead);
        }
    }

    /** First pass of a half; half 2 begins behind the last. */
    private int firstPass(int half) {
        return half == 0 ? 0 : half == 1 ? (passes + 1) / 2 : passes;
    }

    /** Loads a quarter and, after the second half, goes on to the next tile. */
    private void load(int quarter, Value shared, int ahead) {
        boolean values = quarter >= 2;
        Value place = values ? v : k;
        Value stride = values ? p.vStride : p.kStride;
        int half = quarter % 2;
        Value to = async ? f.add(shared, target) : null;
        for (int i = firstPass(half); i < firstPass(half + 1); i++) {
            Value lineOfPass = f.add(line, Value.of(i * linesPerPass + ahead));
            Value inRange = f.compare(Comparison.LESS, lineOfPass.as(PtxType.S32), left);
            Value address = i == 0 ? place : f.address(place, stride, i * linesPerPass * TensorCode.HALF_BYTES);
            if (async) {
                Value bytes = f.select(PtxType.U32, inRange, Value.of(UNIT_BYTES), Value.of(0));
                int offset = offset(values, i);
                whereActive(i, () -> TensorCode.copy(f, to, offset, address, bytes));
            } else {
                Value[] words = travelling[i - firstPass(half)];
                for (Value word : words) {
                    f.assign(word, PtxOp.MOV, Value.of(0));
                }
                f.guarded(inRange, () -> f.load(Space.GLOBAL, address, 0, words));
            }
        }
        if (half == 1) {
            f.assign(place, PtxOp.MOV, f.address(place, stride, keys * TensorCode.HALF_BYTES));
        }
    }

    private void store(int quarter, Value shared) {
        int half = quarter % 2;
        Value to = f.add(shared, target);
        for (int i = firstPass(half); i < firstPass(half + 1); i++) {
            Value[] words = travelling[i - firstPass(half)];
            int offset = offset(quarter >= 2, i);
            whereActive(i, () -> f.store(Space.SHARED, to, offset, words));
        }
    }

    private int offset(boolean values, int pass) {
        return (values ? tileBytes() : 0) + pass * linesPerPass * lineBytes(headSize);
    }

    private void whereActive(int pass, Runnable instruction) {
        Value guard = pass == passes - 1 ? activeLast : active;
        if (guard == null) {
            instruction.run();
        } else {
            f.guarded(guard, instruction);
        }
    }
}
