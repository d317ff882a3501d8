package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Memory-efficient attention on tensor cores: f16 factors, f32 sums.
 *
 * <p>Each of a block's four warps has 16 or 32 queries for itself, all their channels in registers from beginning to end. Tiles of keys and
 * values pass through shared memory ({@link KeyTiles}). A warp's scores lie in its registers as sums; their powers of two, rounded to
 * halves, already lie as the left factor of the product with the values, so they never leave the registers.
 *
 * <p>Powers are taken relative to a reference that follows a query's largest score only when a score exceeds it by a factor of 2^8: the
 * result is the same for any reference, halves have room for 2^8, and rescaling what was summed becomes rare.
 *
 * @param headSize a multiple of 8; with {@link Arithmetic#MMA16} an odd last eight takes one instruction of half the depth
 * @param queriesPerBlock 64, or 128 where there are enough queries for it: then keys and values pass by half as often
 */
public record TensorAttention(Arithmetic arithmetic, int headSize, boolean causal, int queriesPerBlock) implements AttentionKernel {
    /** Halves of a 16-byte load, of which head size and strides are multiples. */
    static final int UNIT = 8;
    /** The largest head whose results one warp's registers can hold. */
    static final int LARGEST_HEAD = 160;

    private static final int SHORT = 64;
    private static final int LONG = 128;
    /** The largest head of which a warp can hold 32 queries. */
    private static final int LARGEST_LONG_HEAD = 80;

    private static final int FEWEST_LONG_QUERIES = 2048;
    private static final int WARPS = 4;
    private static final int THREADS = WARPS * Code.WARP;
    private static final int LARGEST_SHARED = 48 << 10;
    /** By how many powers of two a score may exceed the reference. */
    private static final float TOLERATED = 8;

    private static final int EIGHT = TensorCode.EIGHT;

    public TensorAttention {
        if (!arithmetic.isTensor() || !hasHead(headSize)) {
            throw new IllegalArgumentException("attention on tensor cores: head size " + headSize + " with " + arithmetic
                    + "; multiples of 8 up to " + LARGEST_HEAD + " can be had");
        }
        if (queriesPerBlock != SHORT && (queriesPerBlock != LONG || headSize > LARGEST_LONG_HEAD)) {
            throw new IllegalArgumentException("attention on tensor cores: " + queriesPerBlock + " queries a block, head size " + headSize);
        }
    }

    static boolean hasHead(int headSize) {
        return headSize >= EIGHT && headSize <= LARGEST_HEAD && headSize % EIGHT == 0;
    }

    static TensorAttention forLength(Arithmetic arithmetic, int headSize, boolean causal, int queries) {
        boolean manyQueries = queries >= FEWEST_LONG_QUERIES && headSize <= LARGEST_LONG_HEAD;
        return new TensorAttention(arithmetic, headSize, causal, manyQueries ? LONG : SHORT);
    }

    @Override
    public String name() {
        return "tensor_attention";
    }

    @Override
    public String variant() {
        return "f16 hd" + headSize + (causal ? " causal" : "") + " " + arithmetic.label() + " q" + queriesPerBlock;
    }

    @Override
    public DataType type() {
        return DataType.F16;
    }

    @Override
    public int target() {
        return arithmetic.target();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 255;
    }

    @Override
    public boolean takes(AttentionShape shape) {
        return shape.stridesAreMultiplesOf(UNIT);
    }

    /** Of 16 queries each, of one warp. */
    private int parts() {
        return queriesPerBlock / (WARPS * TensorCode.ROWS);
    }

    /** Keys of a tile: 64 as long as two tiles fit, and a warp's scores beside its results. */
    private int keysPerTile() {
        boolean fits = KeyTiles.sharedBytes(headSize, 64) <= LARGEST_SHARED;
        return fits && parts() * headSize <= 128 ? 64 : 32;
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(target());
        new Text(module.entry(name(), THREADS, registerBudget())).emit();
        return module.text();
    }

    private final class Text {
        private final PtxFunction f;
        private final AttentionParameters p;
        private final int parts = parts();
        private final int keysPerTile = keysPerTile();
        private final int headEights = headSize / EIGHT;
        private final int keyEights = keysPerTile / EIGHT;
        /** Eights of channels or keys that one instruction takes. */
        private final int step = arithmetic == Arithmetic.MMA16 ? 2 : 1;

        private final Value lane;
        /** This lane's row of eight in fragments, and its first column. */
        private final Value group;

        private final Value pair;
        /** The warp's. */
        private final Value firstQuery;
        /** By part and row of it (group, group + 8): the reference, in powers of two, and the sum of powers of this lane's keys. */
        private final Value[][] reference;

        private final Value[][] sum;
        /** By part and eight of channels. */
        private final Value[][][] result;

        Text(PtxFunction f) {
            this.f = f;
            p = new AttentionParameters(f, DataType.F16, headSize);
            Value thread = f.special("%tid.x");
            lane = f.and(thread, Value.of(Code.WARP - 1));
            group = f.compute(PtxOp.SHR, lane, Value.of(2));
            pair = f.mul(f.and(lane, Value.of(3)), Value.of(2));
            Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
            Value blockFirst = f.mul(f.special("%ctaid.x"), Value.of(queriesPerBlock));
            firstQuery = f.mad(warp, Value.of(parts * TensorCode.ROWS), blockFirst);
            reference = new Value[parts][2];
            sum = new Value[parts][2];
            result = new Value[parts][headEights][4];
        }

        void emit() {
            Value thread = f.special("%tid.x");
            KeyTiles tiles = new KeyTiles(f, p, headSize, keysPerTile, THREADS, arithmetic == Arithmetic.MMA16, thread);
            tiles.first();
            f.comment("this warp's queries");
            Value[][][] q = queries();
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    reference[i][row] = f.move(Value.of(Float.NEGATIVE_INFINITY));
                    sum[i][row] = f.move(Value.of(0f));
                }
                for (Value[] eight : result[i]) {
                    for (int j = 0; j < eight.length; j++) {
                        eight[j] = f.move(Value.of(0f));
                    }
                }
            }
            Value keysLine = f.mad(
                    f.and(lane, Value.of(EIGHT - 1)),
                    Value.of(KeyTiles.lineBytes(headSize)),
                    f.mul(f.compute(PtxOp.SHR, lane, Value.of(3)), Value.of(TensorCode.MATRIX_ROW_BYTES)));
            Value valuesLine = f.mul(lane, Value.of(KeyTiles.lineBytes(headSize)));
            Value end = p.keys;
            if (causal) {
                Value blockEnd = f.mad(f.special("%ctaid.x"), Value.of(queriesPerBlock), Value.of(queriesPerBlock));
                end = f.compute(PtxOp.MIN, p.keys, blockEnd);
            }
            Value last = end;
            Value first = f.move(Value.of(0).as(PtxType.U32));
            f.loop(() -> Code.less(f, first, last), () -> {
                tiles.arrive();
                Value next = f.add(first, Value.of(keysPerTile));
                Value wanted = Code.less(f, next, last);
                tiles.beforeKeys(next, wanted);
                f.comment("scores");
                Value[][][] scores = scores(q, f.add(tiles.keysAddress(), keysLine));
                tiles.betweenKeysAndValues(next, wanted);
                mask(scores, first);
                soften(scores);
                f.comment("values");
                weigh(scores, f.add(tiles.keysAddress(), valuesLine), tiles.valuesOffset());
                tiles.afterValues(wanted);
                f.assign(first, PtxOp.MOV, next);
            });
            f.comment("results");
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    store(i, row);
                }
            }
        }

        private Value row(int part, int row) {
            return f.add(f.add(firstQuery, group), Value.of(part * TensorCode.ROWS + row * EIGHT));
        }

        /** By part and eight of channels, two words; zeros behind the last query. */
        private Value[][][] queries() {
            Value[][][] q = new Value[parts][headEights][2];
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    Value query = row(i, row);
                    Value address = f.address(p.q, f.mad(query, p.qStride, pair), TensorCode.HALF_BYTES);
                    Value inRange = Code.less(f, query, p.queries);
                    for (int e = 0; e < headEights; e++) {
                        q[i][e][row] = f.move(Value.of(0).as(PtxType.B32));
                        Value word = q[i][e][row];
                        int offset = e * EIGHT * TensorCode.HALF_BYTES;
                        f.guarded(inRange, () -> f.load(Space.GLOBAL, address, offset, word));
                    }
                }
            }
            return q;
        }

        /** By part and eight of keys: q·k, four sums a lane. */
        private Value[][][] scores(Value[][][] q, Value keysAt) {
            Value[][][] scores = new Value[parts][keyEights][4];
            for (Value[][] part : scores) {
                for (Value[] eight : part) {
                    for (int j = 0; j < eight.length; j++) {
                        eight[j] = f.move(Value.of(0f));
                    }
                }
            }
            for (int e = 0; e < headEights; ) {
                // As many eights as one ldmatrix can take.
                int eights = Integer.highestOneBit(Math.min(4, headEights - e));
                for (int j = 0; j < keyEights; j++) {
                    int offset = j * EIGHT * KeyTiles.lineBytes(headSize) + e * TensorCode.MATRIX_ROW_BYTES;
                    Value[] k = TensorCode.loadMatrices(f, eights, false, keysAt, offset);
                    for (int i = 0; i < parts; i++) {
                        multiply(scores[i][j], q[i], e, k);
                    }
                }
                e += eights;
            }
            return scores;
        }

        /** {@code sums += left[from...] · right}, as many eights as the right factor has. */
        private void multiply(Value[] sums, Value[][] left, int from, Value[] right) {
            for (int e = 0; e < right.length; ) {
                int eights = Math.min(step, right.length - e);
                Value[] a = new Value[2 * eights];
                Value[] b = new Value[eights];
                for (int i = 0; i < eights; i++) {
                    System.arraycopy(left[from + e + i], 0, a, 2 * i, 2);
                    b[i] = right[e + i];
                }
                TensorCode.multiply(f, sums, a, b);
                e += eights;
            }
        }

        /** Minus infinity for keys behind the last or, with causal, behind the query; most tiles have none. */
        private void mask(Value[][][] scores, Value first) {
            Value tileEnd = f.add(first, Value.of(keysPerTile));
            Value ragged = f.compare(Comparison.GREATER, tileEnd, causal ? firstQuery : p.keys);
            if (causal) {
                ragged = f.compute(PtxOp.OR, ragged, f.compare(Comparison.GREATER, tileEnd, p.keys));
            }
            f.when(ragged, () -> {
                f.comment("keys that are not seen");
                Value ownFirst = f.add(first, pair);
                for (int i = 0; i < parts; i++) {
                    for (int row = 0; row < 2; row++) {
                        Value end = p.keys;
                        if (causal) {
                            end = f.compute(PtxOp.MIN, end, f.add(row(i, row), Value.of(1)));
                        }
                        Value seen = f.sub(end, ownFirst).as(PtxType.S32);
                        for (int j = 0; j < keyEights; j++) {
                            for (int u = 0; u < 2; u++) {
                                Value hidden = f.compare(Comparison.LESS_OR_EQUAL, seen, Value.of(j * EIGHT + u));
                                Value score = scores[i][j][2 * row + u];
                                f.assign(score, PtxOp.SELECT, Value.of(Float.NEGATIVE_INFINITY), score, hidden);
                            }
                        }
                    }
                }
            });
        }

        /** From scores to powers relative to the reference, after raising that where it is needed. */
        private void soften(Value[][][] scores) {
            Value[][] top = new Value[parts][2];
            Value tooLarge = null;
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    Value largest = null;
                    for (Value[] eight : scores[i]) {
                        Value either = f.compute(PtxOp.MAX, eight[2 * row], eight[2 * row + 1]);
                        largest = largest == null ? either : f.compute(PtxOp.MAX, largest, either);
                    }
                    top[i][row] = f.mul(largest, p.factor);
                    Value excess = f.sub(top[i][row], reference[i][row]);
                    Value exceeds = f.compare(Comparison.GREATER, excess, Value.of(TOLERATED));
                    tooLarge = tooLarge == null ? exceeds : f.compute(PtxOp.OR, tooLarge, exceeds);
                }
            }
            f.when(TensorCode.any(f, tooLarge), () -> {
                f.comment("new references");
                for (int i = 0; i < parts; i++) {
                    for (int row = 0; row < 2; row++) {
                        raise(i, row, Code.reduce(f, PtxOp.MAX, top[i][row], 4));
                    }
                }
            });
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    Value offset = f.compute(PtxOp.NEG, reference[i][row]);
                    for (Value[] eight : scores[i]) {
                        for (int u = 2 * row; u < 2 * row + 2; u++) {
                            f.assign(eight[u], PtxOp.MAD, eight[u], p.factor, offset);
                            f.assign(eight[u], PtxOp.EXP2, eight[u]);
                            f.assign(sum[i][row], PtxOp.ADD, sum[i][row], eight[u]);
                        }
                    }
                }
            }
        }

        /** Finite from the first tile on, where every query sees a key. */
        private void raise(int part, int row, Value largest) {
            Value raised = f.compute(PtxOp.MAX, reference[part][row], largest);
            Value shrink = f.compute(PtxOp.EXP2, f.sub(reference[part][row], raised));
            f.assign(reference[part][row], PtxOp.MOV, raised);
            f.assign(sum[part][row], PtxOp.MUL, sum[part][row], shrink);
            for (Value[] eight : result[part]) {
                f.assign(eight[2 * row], PtxOp.MUL, eight[2 * row], shrink);
                f.assign(eight[2 * row + 1], PtxOp.MUL, eight[2 * row + 1], shrink);
            }
        }

        private void weigh(Value[][][] powers, Value valuesAt, int offset) {
            Value[][][] left = new Value[parts][keyEights][2];
            for (int i = 0; i < parts; i++) {
                for (int j = 0; j < keyEights; j++) {
                    Value[] eight = powers[i][j];
                    left[i][j][0] = TensorCode.pack(f, arithmetic, eight[0], eight[1]);
                    left[i][j][1] = TensorCode.pack(f, arithmetic, eight[2], eight[3]);
                }
            }
            for (int j = 0; j < keyEights; j += 4) {
                for (int e = 0; e < headEights; e++) {
                    int at = offset + j * EIGHT * KeyTiles.lineBytes(headSize) + e * TensorCode.MATRIX_ROW_BYTES;
                    Value[] v = TensorCode.loadMatrices(f, 4, true, valuesAt, at);
                    for (int i = 0; i < parts; i++) {
                        multiply(result[i][e], left[i], j, v);
                    }
                }
            }
        }

        private void store(int part, int row) {
            Value inverse = f.compute(PtxOp.RECIPROCAL, Code.reduce(f, PtxOp.ADD, sum[part][row], 4));
            Value query = row(part, row);
            Value address = f.address(p.out, f.mad(query, p.outStride, pair), TensorCode.HALF_BYTES);
            Value inRange = Code.less(f, query, p.queries);
            for (int e = 0; e < headEights; e++) {
                Value[] eight = result[part][e];
                Value word = TensorCode.pack(f, arithmetic, f.mul(eight[2 * row], inverse), f.mul(eight[2 * row + 1], inverse));
                int offset = e * EIGHT * TensorCode.HALF_BYTES;
                f.guarded(inRange, () -> f.store(Space.GLOBAL, address, offset, word));
            }
        }
    }
}
