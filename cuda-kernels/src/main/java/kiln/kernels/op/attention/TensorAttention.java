package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * Memory-efficient attention on tensor cores: f16 factors, f32 sums.
 *
 * <p>Each of a block's four warps has 16 or 32 queries for itself, all their channels in registers from beginning to end. Tiles of keys and
 * values pass through shared memory ({@link KeyTiles}). A warp's scores lie in its registers as sums; their powers, rounded to halves
 * ({@link TensorSoftmax}), already lie as the left factor of the product with the values, so they never leave the registers.
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
    private static final int EIGHT = TensorCode.EIGHT;

    public TensorAttention {
        if (!arithmetic.isTensor() || !hasHead(headSize)) {
            throw new IllegalArgumentException("attention on tensor cores: head size " + headSize + " with " + arithmetic
                    + "; multiples of 8 up to " + LARGEST_HEAD + " can be had");
        }
        if (queriesPerBlock != SHORT && (queriesPerBlock != LONG || causal || headSize > LARGEST_LONG_HEAD)) {
            throw new IllegalArgumentException("attention on tensor cores: " + queriesPerBlock + " queries a block, head size " + headSize);
        }
    }

    static boolean hasHead(int headSize) {
        return headSize >= EIGHT && headSize <= LARGEST_HEAD && headSize % EIGHT == 0;
    }

    static TensorAttention forLength(Arithmetic arithmetic, int headSize, boolean causal, int queries) {
        boolean manyQueries = queries >= FEWEST_LONG_QUERIES && !causal && headSize <= LARGEST_LONG_HEAD;
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
    public Target target() {
        return arithmetic.target();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        // So many that nothing is spilled; where it can be, so few that four blocks (128) or three (168) share a multiprocessor.
        boolean wide = arithmetic == Arithmetic.MMA16;
        if (queriesPerBlock == LONG) {
            return wide && headSize <= 40 ? 128 : headSize <= (wide ? 56 : 48) ? 168 : 255;
        }
        return headSize <= (wide ? 72 : 40) ? 128 : wide || headSize <= 80 ? 168 : 255;
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
        return fits && parts() == 1 ? 64 : 32;
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        new Text(f).emit();
        return f.moduleText();
    }

    private final class Text {
        private final PtxFunction f;
        private final AttentionParameters p;
        private final int parts = parts();
        private final int keysPerTile = keysPerTile();
        private final int headEights = headSize / EIGHT;
        private final int keyEights = keysPerTile / EIGHT;
        private final Value thread;
        private final Value lane;
        private final Value pair;
        private final TensorSoftmax softmax;
        /** By part and eight of channels. */
        private final Value[][][] result;

        Text(PtxFunction f) {
            this.f = f;
            p = new AttentionParameters(f, DataType.F16, headSize);
            thread = f.special("%tid.x");
            lane = f.and(thread, Value.of(Code.WARP - 1));
            Value group = f.compute(PtxOp.SHR, lane, Value.of(2));
            pair = f.mul(f.and(lane, Value.of(3)), Value.of(2));
            Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
            Value blockFirst = f.mul(f.special("%ctaid.x"), Value.of(queriesPerBlock));
            Value firstQuery = f.mad(warp, Value.of(parts * TensorCode.ROWS), blockFirst);
            softmax = new TensorSoftmax(f, p, arithmetic, causal, parts, group, pair, firstQuery);
            result = TensorSoftmax.zeros(f, parts, headEights);
        }

        void emit() {
            KeyTiles tiles = new KeyTiles(f, p, headSize, keysPerTile, THREADS, arithmetic == Arithmetic.MMA16, thread);
            tiles.first();
            f.comment("this warp's queries");
            Value[][][] q = queries();
            softmax.begin();
            Value fragment = f.mad(
                    f.and(lane, Value.of(2 * EIGHT - 1)),
                    Value.of(KeyTiles.lineBytes(headSize)),
                    f.mul(f.compute(PtxOp.SHR, lane, Value.of(4)), Value.of(TensorCode.MATRIX_ROW_BYTES)));
            Value enough = softmax.unseen(queriesPerBlock);
            f.loop(() -> f.compare(Comparison.GREATER, tiles.left(), enough), () -> {
                tiles.arrive();
                Value wanted = f.compare(Comparison.GREATER, f.sub(tiles.left(), Value.of(keysPerTile)), enough);
                tiles.advance(0, wanted);
                f.comment("scores");
                Value[][][] scores = TensorSoftmax.zeros(f, parts, keyEights);
                Value at = f.add(tiles.keysAddress(), fragment);
                addScores(scores, q, 0, half(), at);
                tiles.advance(1, wanted);
                addScores(scores, q, half(), headEights, at);
                tiles.advance(2, wanted);
                Value[][][] powers = softmax.powers(scores, tiles.left(), result);
                f.comment("values");
                weigh(powers, 0, half(), at, tiles.valuesOffset());
                tiles.advance(3, wanted);
                weigh(powers, half(), headEights, at, tiles.valuesOffset());
                tiles.advance(KeyTiles.QUARTERS, wanted);
            });
            f.comment("results");
            Value out = p.out();
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    store(out, i, row);
                }
            }
        }

        /** Where work on a tile is divided so that the next one can come in quarters; asynchronous copies need no division. */
        private int half() {
            return arithmetic == Arithmetic.MMA16 ? 0 : headEights / 4 * 2;
        }

        /** By part and eight of channels, two words; zeros behind the last query. */
        private Value[][][] queries() {
            Value[][][] q = new Value[parts][headEights][2];
            for (int i = 0; i < parts; i++) {
                for (int row = 0; row < 2; row++) {
                    Value query = softmax.query(i, row);
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

        /** By part and eight of keys, four sums a lane: adds q·k over the eights of channels from {@code from} up to {@code to}. */
        private void addScores(Value[][][] scores, Value[][][] q, int from, int to, Value keysAt) {
            for (int e = from; e < to; e += 2) {
                int eights = Math.min(2, to - e);
                for (int j = 0; j < keyEights; j += 2) {
                    // By eight of channels, then of keys.
                    Value[] k = TensorCode.loadMatrices(f, 2 * eights, false, keysAt, place(j, e));
                    for (int i = 0; i < parts; i++) {
                        for (int u = 0; u < 2; u++) {
                            Value[] right = eights == 1 ? new Value[] {k[u]} : new Value[] {k[u], k[2 + u]};
                            TensorCode.multiply(f, arithmetic, scores[i][j + u], q[i], e, right);
                        }
                    }
                }
            }
        }

        /** Where a tile's eight of lines, eight of channels begins. */
        private int place(int lineEight, int channelEight) {
            return lineEight * EIGHT * KeyTiles.lineBytes(headSize) + channelEight * TensorCode.MATRIX_ROW_BYTES;
        }

        /** Adds powers times values to the results of the eights of channels from {@code from} up to {@code to}. */
        private void weigh(Value[][][] powers, int from, int to, Value valuesAt, int offset) {
            for (int j = 0; j < keyEights; j += 2) {
                for (int e = from; e < to; e += 2) {
                    int eights = Math.min(2, to - e);
                    // By eight of channels, then of keys.
                    Value[] v = TensorCode.loadMatrices(f, 2 * eights, true, valuesAt, offset + place(j, e));
                    for (int i = 0; i < parts; i++) {
                        for (int u = 0; u < eights; u++) {
                            TensorCode.multiply(f, arithmetic, result[i][e + u], powers[i], j, new Value[] {v[2 * u], v[2 * u + 1]});
                        }
                    }
                }
            }
        }

        private void store(Value out, int part, int row) {
            Value inverse = softmax.inverse(part, row);
            Value query = softmax.query(part, row);
            Value address = f.address(out, f.mad(query, p.outStride, pair), TensorCode.HALF_BYTES);
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
