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
 * Memory-efficient attention on tensor cores for heads whose results one warp's registers cannot hold, such as the 512 channels of the
 * autoencoder's one head, in one pass over the keys.
 *
 * <p>A block has 32 queries, and a warp 64 of their channels: it adds up q·k over those, a tile of 32 keys at a time. The warps' sums are
 * added in shared memory, in an order that is always the same; then each warp has all scores, works out the powers for itself, and
 * multiplies them by its 64 channels of the values. Nothing but scores passes from warp to warp, so keys and values need no shared memory:
 * they come straight into the registers of the lane that multiplies them, 16 bytes at a time. For that, channels are dealt out to fragments
 * in an order that suits such loads: which channel is which does not matter to a sum over all, nor to results as long as they are stored
 * where they belong.
 *
 * @param headSize a multiple of 8 beyond what {@link TensorAttention} does
 */
public record WideTensorAttention(Arithmetic arithmetic, int headSize, boolean causal) implements AttentionKernel {
    static final int LARGEST_HEAD = 512;

    private static final int UNIT = TensorAttention.UNIT;
    private static final int PARTS = 2;
    private static final int QUERIES = PARTS * TensorCode.ROWS;
    private static final int KEYS = 32;
    private static final int KEY_EIGHTS = KEYS / TensorCode.EIGHT;
    /** Of a warp. */
    private static final int CHANNELS = 64;

    private static final int CHANNEL_EIGHTS = CHANNELS / TensorCode.EIGHT;
    /** Channels that four lanes load at once, 16 bytes each. */
    private static final int CHANNELS_OF_LOAD = 4 * UNIT;

    private static final int LOADS = CHANNELS / CHANNELS_OF_LOAD;
    private static final int WORDS = 4;
    /** Blocks of 16 queries and 8 keys, in which scores go to shared memory: 16 bytes a lane. */
    private static final int SCORE_BLOCKS = PARTS * KEY_EIGHTS;

    private static final int SCORE_BLOCK_BYTES = Code.WARP * 4 * Float.BYTES;

    public WideTensorAttention {
        if (!arithmetic.isTensor() || !hasHead(headSize)) {
            throw new IllegalArgumentException("attention on tensor cores: head size " + headSize + " with " + arithmetic + "; multiples of 8 from "
                    + (TensorAttention.LARGEST_HEAD + UNIT) + " to " + LARGEST_HEAD + " can be had");
        }
    }

    static boolean hasHead(int headSize) {
        return headSize > TensorAttention.LARGEST_HEAD && headSize <= LARGEST_HEAD && headSize % UNIT == 0;
    }

    @Override
    public String name() {
        return "wide_tensor_attention";
    }

    @Override
    public String variant() {
        return "f16 hd" + headSize + (causal ? " causal" : "") + " " + arithmetic.label();
    }

    @Override
    public DataType type() {
        return DataType.F16;
    }

    @Override
    public Target target() {
        return arithmetic.target();
    }

    private int warps() {
        return Code.blocks(headSize, CHANNELS);
    }

    @Override
    public int threads() {
        return warps() * Code.WARP;
    }

    @Override
    public int registerBudget() {
        return 255;
    }

    @Override
    public int queriesPerBlock() {
        return QUERIES;
    }

    @Override
    public boolean takes(AttentionShape shape) {
        return shape.stridesAreMultiplesOf(UNIT);
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
        private final Value lane;
        private final Value group;
        private final Value member;
        private final Value warp;
        /** The warp's first channel. */
        private final Value firstChannel;

        private final Value firstQuery;
        private final TensorSoftmax softmax;
        /** By part and eight of channels, column n of which is channel {@code 8·n + eight} of the warp's. */
        private final Value[][][] result;
        /** How many keys are left from the present tile's first on. */
        private final Value left;

        Text(PtxFunction f) {
            this.f = f;
            p = new AttentionParameters(f, DataType.F16, headSize);
            Value thread = f.special("%tid.x");
            lane = f.and(thread, Value.of(Code.WARP - 1));
            group = f.compute(PtxOp.SHR, lane, Value.of(2));
            member = f.and(lane, Value.of(3));
            warp = f.compute(PtxOp.SHR, thread, Value.of(5));
            firstChannel = f.mul(warp, Value.of(CHANNELS));
            firstQuery = f.mul(f.special("%ctaid.x"), Value.of(QUERIES));
            softmax = new TensorSoftmax(f, p, arithmetic, causal, PARTS, group, f.mul(member, Value.of(2)), firstQuery);
            result = TensorSoftmax.zeros(f, PARTS, CHANNEL_EIGHTS);
            left = f.move(p.keys).as(PtxType.S32);
        }

        void emit() {
            Value partial = f.shared("partial_scores", warps() * SCORE_BLOCKS * SCORE_BLOCK_BYTES);
            Value whole = f.shared("scores", SCORE_BLOCKS * SCORE_BLOCK_BYTES);
            softmax.begin();
            f.comment("this warp's channels of the queries");
            Value[][][] q = queries();
            Value channel = f.mad(member, Value.of(UNIT), firstChannel);
            Value k = f.address(p.k, f.mad(group, p.kStride, channel), TensorCode.HALF_BYTES);
            Value pair = f.mul(member, Value.of(2));
            Value vChannel = f.mad(group, Value.of(UNIT), firstChannel);
            Value v = f.address(p.v, f.mad(pair, p.vStride, vChannel), TensorCode.HALF_BYTES);
            Value ownPlace = f.mad(lane, Value.of(4 * Float.BYTES), partial);
            Value warpPlace = f.mad(warp, Value.of(SCORE_BLOCKS * SCORE_BLOCK_BYTES), ownPlace);
            Value wholePlace = f.mad(lane, Value.of(4 * Float.BYTES), whole);
            Value[][][] keyWords = new Value[KEY_EIGHTS][LOADS][WORDS];
            for (Value[][] eight : keyWords) {
                for (Value[] load : eight) {
                    for (int i = 0; i < WORDS; i++) {
                        load[i] = f.register(PtxType.B32);
                    }
                }
            }
            loadKeys(k, channel, keyWords, 0);
            Value enough = softmax.unseen(QUERIES);
            f.loop(() -> f.compare(Comparison.GREATER, left, enough), () -> {
                f.comment("this warp's share of the scores");
                Value[][][] share = scores(q, keyWords);
                for (int block = 0; block < SCORE_BLOCKS; block++) {
                    f.store(Space.SHARED, warpPlace, block * SCORE_BLOCK_BYTES, share[block / KEY_EIGHTS][block % KEY_EIGHTS]);
                }
                f.comment("the next tile's keys");
                f.assign(k, PtxOp.MOV, f.address(k, p.kStride, KEYS * TensorCode.HALF_BYTES));
                loadKeys(k, channel, keyWords, KEYS);
                f.barrier();
                addShares(ownPlace, wholePlace);
                f.comment("values");
                Value[][] values = new Value[KEYS / TensorCode.ROWS][];
                for (int i = 0; i < values.length; i++) {
                    values[i] = loadValues(v, vChannel, pair, i * TensorCode.ROWS);
                }
                f.barrier();
                Value[][][] scores = new Value[PARTS][KEY_EIGHTS][4];
                for (int block = 0; block < SCORE_BLOCKS; block++) {
                    Value[] four = scores[block / KEY_EIGHTS][block % KEY_EIGHTS];
                    for (int i = 0; i < four.length; i++) {
                        four[i] = f.register(PtxType.F32);
                    }
                    f.load(Space.SHARED, wholePlace, block * SCORE_BLOCK_BYTES, four);
                }
                Value[][][] powers = softmax.powers(scores, left, result);
                for (int i = 0; i < values.length; i++) {
                    weigh(powers, 2 * i, values[i]);
                }
                f.assign(v, PtxOp.MOV, f.address(v, p.vStride, KEYS * TensorCode.HALF_BYTES));
                f.assign(left, PtxOp.ADD, left, Value.of(-KEYS));
            });
            f.comment("results");
            Value out = p.out();
            for (int i = 0; i < PARTS; i++) {
                for (int row = 0; row < 2; row++) {
                    store(out, i, row);
                }
            }
        }

        /** {@code inRange}, or that and the channel's being one of the head where a warp's may be beyond it. */
        private Value inHead(Value inRange, Value channel) {
            return headSize % CHANNELS == 0 ? inRange : f.compute(PtxOp.AND, inRange, Code.less(f, channel, Value.of(headSize)));
        }

        private void loadOrZeros(Value inRange, Value address, int offset, Value[] words) {
            for (Value word : words) {
                f.assign(word, PtxOp.MOV, Value.of(0));
            }
            f.guarded(inRange, () -> f.load(Space.GLOBAL, address, offset, words));
        }

        /** By part and eight of channels (each one word of a lane's loads), two words: rows group and group + 8. */
        private Value[][][] queries() {
            Value[][][] q = new Value[PARTS][CHANNEL_EIGHTS][2];
            Value channel = f.mad(member, Value.of(UNIT), firstChannel);
            for (int i = 0; i < PARTS; i++) {
                for (int row = 0; row < 2; row++) {
                    Value query = softmax.query(i, row);
                    Value address = f.address(p.q, f.mad(query, p.qStride, channel), TensorCode.HALF_BYTES);
                    Value inRange = Code.less(f, query, p.queries);
                    for (int load = 0; load < LOADS; load++) {
                        Value[] words = new Value[WORDS];
                        for (int j = 0; j < WORDS; j++) {
                            words[j] = f.register(PtxType.B32);
                            q[i][load * WORDS + j][row] = words[j];
                        }
                        Value ofLoad = f.add(channel, Value.of(load * CHANNELS_OF_LOAD));
                        loadOrZeros(inHead(inRange, ofLoad), address, load * CHANNELS_OF_LOAD * TensorCode.HALF_BYTES, words);
                    }
                }
            }
            return q;
        }

        /** @param ahead keys from the present tile's first to that of the tile to load */
        private void loadKeys(Value k, Value channel, Value[][][] words, int ahead) {
            for (int j = 0; j < KEY_EIGHTS; j++) {
                int line = j * TensorCode.EIGHT;
                Value inRange = f.compare(Comparison.LESS, f.add(group, Value.of(line + ahead)).as(PtxType.S32), left);
                Value address = j == 0 ? k : f.address(k, p.kStride, line * TensorCode.HALF_BYTES);
                for (int load = 0; load < LOADS; load++) {
                    Value ofLoad = f.add(channel, Value.of(load * CHANNELS_OF_LOAD));
                    loadOrZeros(inHead(inRange, ofLoad), address, load * CHANNELS_OF_LOAD * TensorCode.HALF_BYTES, words[j][load]);
                }
            }
        }

        private Value[][][] scores(Value[][][] q, Value[][][] keyWords) {
            Value[][][] scores = TensorSoftmax.zeros(f, PARTS, KEY_EIGHTS);
            for (int load = 0; load < LOADS; load++) {
                for (int word = 0; word < WORDS; word += 2) {
                    for (int j = 0; j < KEY_EIGHTS; j++) {
                        Value[] right = {keyWords[j][load][word], keyWords[j][load][word + 1]};
                        for (int i = 0; i < PARTS; i++) {
                            TensorCode.multiply(f, arithmetic, scores[i][j], q[i], load * WORDS + word, right);
                        }
                    }
                }
            }
            return scores;
        }

        /** Adds up all warps' shares; each warp does some of the score blocks. */
        private void addShares(Value ownPlace, Value wholePlace) {
            f.comment("all warps' shares together");
            int perWarp = Code.blocks(SCORE_BLOCKS, warps());
            for (int i = 0; i < perWarp; i++) {
                Value block = f.add(warp, Value.of(i * warps()));
                Runnable one = () -> {
                    Value offset = f.mul(block, Value.of(SCORE_BLOCK_BYTES));
                    Value from = f.add(ownPlace, offset);
                    Value[] sum = null;
                    for (int w = 0; w < warps(); w++) {
                        Value[] share = Code.loadFloats(f, Space.SHARED, DataType.F32, 4, from, w * SCORE_BLOCKS * SCORE_BLOCK_BYTES);
                        for (int j = 0; j < 4 && sum != null; j++) {
                            share[j] = f.add(sum[j], share[j]);
                        }
                        sum = share;
                    }
                    f.store(Space.SHARED, f.add(wholePlace, offset), 0, sum);
                };
                if ((i + 1) * warps() <= SCORE_BLOCKS) {
                    one.run();
                } else {
                    f.when(Code.less(f, block, Value.of(SCORE_BLOCKS)), one);
                }
            }
        }

        /** Keys pair, pair + 1, pair + 8 and pair + 9 from {@code first} on, of each this lane's channels 8 · group to 8 · group + 7 in four words. */
        private Value[] loadValues(Value v, Value channel, Value pair, int first) {
            Value[] words = new Value[4 * WORDS];
            for (int i = 0; i < 4; i++) {
                int line = first + i / 2 * TensorCode.EIGHT + i % 2;
                Value inRange = f.compare(Comparison.LESS, f.add(pair, Value.of(line)).as(PtxType.S32), left);
                Value address = line == 0 ? v : f.address(v, p.vStride, line * TensorCode.HALF_BYTES);
                Value[] four = new Value[WORDS];
                for (int j = 0; j < WORDS; j++) {
                    four[j] = f.register(PtxType.B32);
                    words[i * WORDS + j] = four[j];
                }
                loadOrZeros(inHead(inRange, channel), address, 0, four);
            }
            return words;
        }

        /** Adds the powers of 16 keys times their values, whose neighbouring keys' halves are brought together word by word. */
        private void weigh(Value[][][] powers, int from, Value[] values) {
            for (int word = 0; word < WORDS; word++) {
                for (int half = 0; half < 2; half++) {
                    Value[] right = new Value[2];
                    for (int i = 0; i < 2; i++) {
                        right[i] = TensorCode.halves(f, values[2 * i * WORDS + word], values[(2 * i + 1) * WORDS + word], half == 1);
                    }
                    for (int i = 0; i < PARTS; i++) {
                        TensorCode.multiply(f, arithmetic, result[i][2 * word + half], powers[i], from, right);
                    }
                }
            }
        }

        /** A lane has columns 2 · member and the next of every eight: sixteen neighbouring channels, in two stores. */
        private void store(Value out, int part, int row) {
            Value inverse = softmax.inverse(part, row);
            Value query = softmax.query(part, row);
            Value inRange = Code.less(f, query, p.queries);
            Value channel = f.mad(member, Value.of(2 * UNIT), firstChannel);
            Value address = f.address(out, f.mad(query, p.outStride, channel), TensorCode.HALF_BYTES);
            for (int column = 0; column < 2; column++) {
                Value[] words = new Value[WORDS];
                for (int j = 0; j < WORDS; j++) {
                    Value low = f.mul(result[part][2 * j][2 * row + column], inverse);
                    Value high = f.mul(result[part][2 * j + 1][2 * row + column], inverse);
                    words[j] = TensorCode.pack(f, arithmetic, low, high);
                }
                int offset = column * UNIT;
                Value stored = inHead(inRange, f.add(channel, Value.of(offset)));
                f.guarded(stored, () -> f.store(Space.GLOBAL, address, offset * TensorCode.HALF_BYTES, words));
            }
        }
    }
}
