package kiln.kernels.op.attention;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Memory-efficient attention in plain f32 arithmetic; runs on every card.
 *
 * <p>A block of 128 threads does {@code 16 · rows} queries of one head and walks the keys 32 at a time: scores from shared slices of q and k
 * (each thread {@code rows × 4} of them), the new maximum over the eight threads of a query, then the weights times v into registers.
 * With {@code causal}, slices that no query sees are skipped.
 *
 * @param vector head size and strides are multiples of four: one load takes four elements
 */
public record Attention(DataType type, int headSize, boolean causal, boolean vector) implements AttentionKernel {
    /** The largest head of which a block's 16 queries fit into the shared memory that every card gives it. */
    static final int LARGEST_HEAD = 512;

    static final int VECTOR = 4;

    /** The largest head whose keys and values fit there as a whole; larger ones come in chunks. */
    private static final int LARGEST_WHOLE = 160;

    private static final int CHUNK = 64;

    private static final int KEYS = 32;
    private static final int ACROSS = 8;
    private static final int DOWN = 16;
    private static final int THREADS = ACROSS * DOWN;

    public Attention {
        Objects.requireNonNull(type, "type");
        if (headSize < 1 || headSize > LARGEST_HEAD || vector && headSize % VECTOR != 0) {
            throw new IllegalArgumentException(
                    "attention: head size " + headSize + "; 1 to " + LARGEST_HEAD + " can be had, with vectors a multiple of " + VECTOR);
        }
    }

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public String variant() {
        return type.label() + " hd" + headSize + (causal ? " causal" : "") + (vector ? " vector" : " any");
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 168;
    }

    /** Queries of a thread: fewer where a head's slices are large, and where the causal mask's places take registers of their own. */
    private int rows() {
        return headSize > LARGEST_WHOLE ? 1 : headSize <= 96 && !causal ? 4 : 2;
    }

    @Override
    public int queriesPerBlock() {
        return DOWN * rows();
    }

    /** Channels of the keys and values that are in shared memory at once. */
    private int chunk() {
        return headSize > LARGEST_WHOLE ? CHUNK : paddedHead();
    }

    /** Columns of the result, in eights: what is beyond the head is zero and not stored. */
    private int paddedHead() {
        return (headSize + ACROSS - 1) / ACROSS * ACROSS;
    }

    @Override
    public boolean takes(AttentionShape shape) {
        return !vector || shape.stridesAreMultiplesOf(VECTOR);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        new Text(f).emit();
        return f.moduleText();
    }

    /** A run of neighbouring result columns of one thread: {@code width} of them, at {@code first + thread · width}. */
    private record Columns(int first, int width) {}

    /** The head's columns for eight threads: runs of four, then two, then one, as many as fit. */
    private List<Columns> columns() {
        List<Columns> result = new ArrayList<>();
        int first = 0;
        for (int width = VECTOR; width >= 1; width /= 2) {
            while (paddedHead() - first >= ACROSS * width) {
                result.add(new Columns(first, width));
                first += ACROSS * width;
            }
        }
        return result;
    }

    /** The runs of each chunk. */
    private List<List<Columns>> chunks(List<Columns> columns) {
        List<List<Columns>> result = new ArrayList<>();
        for (int first = 0; first < paddedHead(); first += chunk()) {
            int begin = first;
            result.add(columns.stream().filter(run -> run.first() >= begin && run.first() < begin + chunk()).toList());
        }
        return result;
    }

    private final class Text {
        private final PtxFunction f;
        private final int rows = rows();
        /** Shared slices are transposed: [channel][query] and [channel][key]; padding moves channels to other banks. */
        private final int queryStride = queriesPerBlock() + (headSize > 128 ? 0 : VECTOR);

        private final int keyStride = KEYS + VECTOR;
        private final Value thread;
        private final Value across;
        private final Value down;

        Text(PtxFunction f) {
            this.f = f;
            thread = f.special("%tid.x");
            across = f.and(thread, Value.of(ACROSS - 1));
            down = f.compute(PtxOp.SHR, thread, Value.of(3));
        }

        void emit() {
            AttentionParameters p = new AttentionParameters(f, type, headSize);
            Value sharedQ = f.shared("slice_q", headSize * queryStride * Float.BYTES);
            int keyBytes = Math.min(chunk(), headSize) * keyStride * Float.BYTES;
            int valueBytes = KEYS * chunk() * Float.BYTES;
            Value sharedKv = f.shared("slice_kv", Math.max(keyBytes, valueBytes));
            Value sharedP = f.shared("weights", KEYS * queryStride * Float.BYTES);
            Value firstQuery = f.mul(f.special("%ctaid.x"), Value.of(queriesPerBlock()));

            f.comment("the block's queries, already times the factor");
            loadTransposed(p.q, p.qStride, firstQuery, p.queries, queriesPerBlock(), 0, headSize, sharedQ, queryStride, p.factor);
            Value[] largest = new Value[rows];
            Value[] sum = new Value[rows];
            List<Columns> columns = columns();
            int perThread = paddedHead() / ACROSS;
            Value[][] result = new Value[rows][perThread];
            for (int i = 0; i < rows; i++) {
                largest[i] = f.move(Value.of(Float.NEGATIVE_INFINITY));
                sum[i] = f.move(Value.of(0f));
                for (int j = 0; j < perThread; j++) {
                    result[i][j] = f.move(Value.of(0f));
                }
            }
            Value ownQuery = f.mad(down, Value.of(rows), firstQuery);
            Value end = causal ? f.compute(PtxOp.MIN, p.keys, f.add(firstQuery, Value.of(queriesPerBlock()))) : p.keys;
            Value key = f.move(Value.of(0).as(PtxType.U32));
            Code.count(f, key, end, Value.of(KEYS), first -> {
                Value[][] scores = new Value[rows][VECTOR];
                for (Value[] row : scores) {
                    for (int j = 0; j < VECTOR; j++) {
                        row[j] = f.move(Value.of(0f));
                    }
                }
                for (int channel = 0; channel < headSize; channel += chunk()) {
                    f.comment("keys");
                    int count = Math.min(chunk(), headSize - channel);
                    loadTransposed(p.k, p.kStride, first, p.keys, KEYS, channel, count, sharedKv, keyStride, null);
                    f.barrier();
                    addScores(scores, sharedQ, channel, count, sharedKv);
                    if (channel + count < headSize) {
                        f.barrier();
                    }
                }
                mask(scores, first, p.keys, ownQuery);
                soften(scores, largest, sum, result);
                storeWeights(scores, sharedP);
                f.barrier();
                int at = 0;
                for (List<Columns> ofChunk : chunks(columns)) {
                    f.comment("values, where the keys were");
                    int width = ofChunk.stream().mapToInt(run -> ACROSS * run.width()).sum();
                    loadValues(p.v, p.vStride, first, p.keys, ofChunk.get(0).first(), width, sharedKv);
                    f.barrier();
                    at = weigh(sharedP, sharedKv, ofChunk, width, result, at);
                    f.barrier();
                }
            });
            store(p.out(), p.outStride, p.queries, ownQuery, columns, sum, result);
        }

        /** Loads channels of lines of a head into {@code shared[channel][line]}, zeros beyond the last line. */
        private void loadTransposed(
                Value base,
                Value stride,
                Value firstLine,
                Value lines,
                int count,
                int firstChannel,
                int channels,
                Value shared,
                int lineStride,
                Value factor) {
            int unit = vector ? VECTOR : 1;
            int perLine = channels / unit;
            eachPlace(count * perLine, place -> {
                Value line = f.compute(PtxOp.DIV, place, Value.of(perLine));
                Value channel = f.mul(f.sub(place, f.mul(line, Value.of(perLine))), Value.of(unit));
                Value[] values = loadLine(base, stride, f.add(firstLine, line), lines, channel, firstChannel, unit);
                Value target = f.mad(f.mad(channel, Value.of(lineStride), line), Value.of(Float.BYTES), shared);
                for (int i = 0; i < unit; i++) {
                    Value value = factor == null ? values[i] : f.mul(values[i], factor);
                    f.store(Space.SHARED, target, i * lineStride * Float.BYTES, value);
                }
            });
        }

        /** Loads {@code width} columns of lines of v into {@code shared[line][column]}. */
        private void loadValues(Value base, Value stride, Value firstLine, Value lines, int firstColumn, int width, Value shared) {
            int unit = vector ? VECTOR : 1;
            int perLine = width / unit;
            eachPlace(KEYS * perLine, place -> {
                Value line = f.compute(PtxOp.DIV, place, Value.of(perLine));
                Value column = f.mul(f.sub(place, f.mul(line, Value.of(perLine))), Value.of(unit));
                Value[] values = loadLine(base, stride, f.add(firstLine, line), lines, column, firstColumn, unit);
                f.store(Space.SHARED, f.mad(place, Value.of(unit * Float.BYTES), shared), 0, values);
            });
        }

        private void eachPlace(int count, Consumer<Value> body) {
            Value place = f.move(thread);
            Code.count(f, place, Value.of(count), Value.of(THREADS), body);
        }

        private Value[] loadLine(Value base, Value stride, Value line, Value lines, Value channelOfChunk, int firstChannel, int unit) {
            Value[] values = new Value[unit];
            for (int i = 0; i < unit; i++) {
                values[i] = f.move(Value.of(0f));
            }
            Value channel = firstChannel == 0 ? channelOfChunk : f.add(channelOfChunk, Value.of(firstChannel));
            Value address = f.address(base, f.mad(line, stride, channel), type.bytes());
            Value inRange = Code.less(f, line, lines);
            if (paddedHead() != headSize) {
                inRange = f.compute(PtxOp.AND, inRange, Code.less(f, channel, Value.of(headSize)));
            }
            f.guarded(inRange, () -> Code.loadFloats(f, Space.GLOBAL, type, address, 0, values));
            return values;
        }

        private Value[] registers(int count) {
            Value[] result = new Value[count];
            for (int i = 0; i < count; i++) {
                result[i] = f.register(PtxType.F32);
            }
            return result;
        }

        /** Adds q·k over a chunk's channels for this thread's queries and its four keys. */
        private void addScores(Value[][] scores, Value sharedQ, int firstChannel, int channels, Value sharedK) {
            Value qAt = f.mad(down, Value.of(rows * Float.BYTES), sharedQ);
            Value kAt = f.mad(across, Value.of(VECTOR * Float.BYTES), sharedK);
            for (int c = 0; c < channels; c++) {
                Value[] a = registers(rows);
                Value[] b = registers(VECTOR);
                f.load(Space.SHARED, qAt, (firstChannel + c) * queryStride * Float.BYTES, a);
                f.load(Space.SHARED, kAt, c * keyStride * Float.BYTES, b);
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < VECTOR; j++) {
                        f.assign(scores[i][j], PtxOp.MAD, a[i], b[j], scores[i][j]);
                    }
                }
            }
        }

        /** Minus infinity where a key is beyond the last or, with causal, behind the query. */
        private void mask(Value[][] scores, Value firstKey, Value keys, Value ownQuery) {
            Value ownKey = f.mad(across, Value.of(VECTOR), firstKey);
            for (int j = 0; j < VECTOR; j++) {
                Value at = j == 0 ? ownKey : f.add(ownKey, Value.of(j));
                Value beyond = f.compare(Comparison.GREATER_OR_EQUAL, at, keys);
                for (int i = 0; i < rows; i++) {
                    Value hidden = beyond;
                    if (causal) {
                        Value query = i == 0 ? ownQuery : f.add(ownQuery, Value.of(i));
                        hidden = f.compute(PtxOp.OR, beyond, f.compare(Comparison.GREATER, at, query));
                    }
                    f.assign(scores[i][j], PtxOp.SELECT, Value.of(Float.NEGATIVE_INFINITY), scores[i][j], hidden);
                }
            }
        }

        /**
         * From scores to weights relative to the largest so far; what was summed before shrinks by the same. The first slice has a visible
         * key for every query, so the largest is finite from then on.
         */
        private void soften(Value[][] scores, Value[] largest, Value[] sum, Value[][] result) {
            for (int i = 0; i < rows; i++) {
                Value top = scores[i][0];
                for (int j = 1; j < VECTOR; j++) {
                    top = f.compute(PtxOp.MAX, top, scores[i][j]);
                }
                Value next = f.compute(PtxOp.MAX, largest[i], Code.reduce(f, PtxOp.MAX, top, ACROSS));
                Value shrink = f.compute(PtxOp.EXP2, f.sub(largest[i], next));
                f.assign(largest[i], PtxOp.MOV, next);
                Value added = null;
                for (int j = 0; j < VECTOR; j++) {
                    scores[i][j] = f.compute(PtxOp.EXP2, f.sub(scores[i][j], next));
                    added = added == null ? scores[i][j] : f.add(added, scores[i][j]);
                }
                f.assign(sum[i], PtxOp.MAD, sum[i], shrink, added);
                for (Value each : result[i]) {
                    f.assign(each, PtxOp.MUL, each, shrink);
                }
            }
        }

        /** Weights go to {@code shared[key][query]}. */
        private void storeWeights(Value[][] weights, Value shared) {
            Value key = f.mul(across, Value.of(VECTOR * queryStride));
            Value at = f.mad(f.mad(down, Value.of(rows), key), Value.of(Float.BYTES), shared);
            for (int j = 0; j < VECTOR; j++) {
                Value[] column = new Value[rows];
                for (int i = 0; i < rows; i++) {
                    column[i] = weights[i][j];
                }
                f.store(Space.SHARED, at, j * queryStride * Float.BYTES, column);
            }
        }

        /** Adds weights times a chunk of values; {@code at} counts this thread's columns before the chunk's, returned are those with it. */
        private int weigh(Value sharedP, Value sharedV, List<Columns> columns, int width, Value[][] result, int at) {
            Value pAt = f.mad(down, Value.of(rows * Float.BYTES), sharedP);
            Value[] vAt = new Value[VECTOR + 1];
            for (Columns run : columns) {
                if (vAt[run.width()] == null) {
                    vAt[run.width()] = f.mad(across, Value.of(run.width() * Float.BYTES), sharedV);
                }
            }
            int first = columns.get(0).first();
            int column = at;
            for (int key = 0; key < KEYS; key++) {
                Value[] p = registers(rows);
                f.load(Space.SHARED, pAt, key * queryStride * Float.BYTES, p);
                column = at;
                for (Columns run : columns) {
                    Value[] values = registers(run.width());
                    f.load(Space.SHARED, vAt[run.width()], (key * width + run.first() - first) * Float.BYTES, values);
                    for (Value value : values) {
                        for (int i = 0; i < rows; i++) {
                            f.assign(result[i][column], PtxOp.MAD, p[i], value, result[i][column]);
                        }
                        column++;
                    }
                }
            }
            return column;
        }

        private void store(
                Value out, Value stride, Value queries, Value ownQuery, List<Columns> columns, Value[] sum, Value[][] result) {
            for (int i = 0; i < rows; i++) {
                Value inverse = f.compute(PtxOp.RECIPROCAL, Code.reduce(f, PtxOp.ADD, sum[i], ACROSS));
                Value query = f.add(ownQuery, Value.of(i));
                Value queryInRange = Code.less(f, query, queries);
                Value line = f.mul(query, stride);
                int at = 0;
                for (Columns run : columns) {
                    Value column = f.mad(across, Value.of(run.width()), Value.of(run.first()));
                    // A run of a head that is no multiple of its width is stored element by element.
                    int unit = vector ? run.width() : 1;
                    for (int u = 0; u < run.width(); u += unit) {
                        Value[] values = new Value[unit];
                        for (int j = 0; j < unit; j++) {
                            values[j] = f.mul(result[i][at++], inverse);
                        }
                        Value begin = u == 0 ? column : f.add(column, Value.of(u));
                        Value inRange = f.compute(PtxOp.AND, queryInRange, Code.less(f, begin, Value.of(headSize)));
                        Value address = f.address(out, f.add(line, begin), type.bytes());
                        f.guarded(inRange, () -> Code.storeFloats(f, Space.GLOBAL, type, address, 0, values));
                    }
                }
            }
        }
    }
}
