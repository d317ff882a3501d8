package kiln.kernels.op.attention;

import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * Text of the running softmax over scores that lie in a warp's registers as sums of {@code mma}, 16 queries a part: see {@link TensorCode}.
 *
 * <p>Powers of two are taken relative to a reference that follows a query's largest score only when a score exceeds it by a factor of 2^8:
 * the result is the same for any reference, halves have room for 2^8, and rescaling what was summed becomes rare.
 */
final class TensorSoftmax {
    private static final int EIGHT = TensorCode.EIGHT;
    /** By how many powers of two a score may exceed the reference. */
    private static final float TOLERATED = 8;
    /** Lanes that share a query. */
    private static final int SHARERS = 4;

    private final PtxFunction f;
    private final AttentionParameters p;
    private final Arithmetic arithmetic;
    private final boolean causal;
    /** This lane's row of eight in fragments, and its first column. */
    private final Value group;

    private final Value pair;
    private final Value firstQuery;
    /** By part and row of it (group, group + 8): the reference, and the sum of powers of this lane's keys. */
    private final Value[][] reference;

    private final Value[][] sum;

    /** @param firstQuery of the warp */
    TensorSoftmax(
            PtxFunction f, AttentionParameters p, Arithmetic arithmetic, boolean causal, int parts, Value group, Value pair, Value firstQuery) {
        this.f = f;
        this.p = p;
        this.arithmetic = arithmetic;
        this.causal = causal;
        this.group = group;
        this.pair = pair;
        this.firstQuery = firstQuery;
        reference = new Value[parts][2];
        sum = new Value[parts][2];
    }

    void begin() {
        for (int i = 0; i < sum.length; i++) {
            for (int row = 0; row < 2; row++) {
                reference[i][row] = f.move(Value.of(Float.NEGATIVE_INFINITY));
                sum[i][row] = f.move(Value.of(0f));
            }
        }
    }

    /** The query of this lane in a part's row. */
    Value query(int part, int row) {
        return f.add(f.add(firstQuery, group), Value.of(part * TensorCode.ROWS + row * EIGHT));
    }

    /** How many keys, from the first on, are behind the last that a query of the block sees. */
    Value unseen(int queriesPerBlock) {
        if (!causal) {
            return Value.of(0);
        }
        Value seen = f.mad(f.special("%ctaid.x"), Value.of(queriesPerBlock), Value.of(queriesPerBlock));
        return f.compute(PtxOp.MAX, f.sub(p.keys, seen).as(PtxType.S32), Value.of(0));
    }

    /** Zeroed sums by part and eight. */
    static Value[][][] zeros(PtxFunction f, int parts, int eights) {
        Value[][][] sums = new Value[parts][eights][4];
        for (Value[][] part : sums) {
            for (Value[] eight : part) {
                for (int j = 0; j < eight.length; j++) {
                    eight[j] = f.move(Value.of(0f));
                }
            }
        }
        return sums;
    }

    /**
     * From scores of a tile (by part and eight of keys) to powers, rounded to halves, as steps of a left factor.
     *
     * @param left how many keys are left from the tile's first on, signed
     * @param result what was summed before, rescaled where references move
     */
    Value[][][] powers(Value[][][] scores, Value left, Value[][][] result) {
        mask(scores, left);
        raiseReferences(scores, result);
        exponentiate(scores);
        return packed(scores);
    }

    /** Minus infinity for keys behind the last or, with causal, behind the query; most tiles have none. */
    private void mask(Value[][][] scores, Value left) {
        int keys = scores[0].length * EIGHT;
        Value ragged = f.compare(Comparison.LESS, left, Value.of(keys));
        Value first = causal ? f.sub(p.keys, left.as(PtxType.U32)) : null;
        if (causal) {
            Value behind = f.compare(Comparison.GREATER, f.add(first, Value.of(keys)), firstQuery);
            ragged = f.compute(PtxOp.OR, ragged, behind);
        }
        f.when(ragged, () -> {
            f.comment("keys that are not seen");
            for (int i = 0; i < scores.length; i++) {
                for (int row = 0; row < 2; row++) {
                    Value seen = left;
                    if (causal) {
                        Value untilQuery = f.sub(f.add(query(i, row), Value.of(1)), first).as(PtxType.S32);
                        seen = f.compute(PtxOp.MIN, seen, untilQuery);
                    }
                    Value seenOfLane = f.sub(seen, pair.as(PtxType.S32));
                    for (int j = 0; j < scores[i].length; j++) {
                        for (int u = 0; u < 2; u++) {
                            Value hidden = f.compare(Comparison.LESS_OR_EQUAL, seenOfLane, Value.of(j * EIGHT + u));
                            Value score = scores[i][j][2 * row + u];
                            f.assign(score, PtxOp.SELECT, Value.of(Float.NEGATIVE_INFINITY), score, hidden);
                        }
                    }
                }
            }
        });
    }

    private void raiseReferences(Value[][][] scores, Value[][][] result) {
        Value[][] top = new Value[scores.length][2];
        Value tooLarge = null;
        for (int i = 0; i < scores.length; i++) {
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
            for (int i = 0; i < scores.length; i++) {
                for (int row = 0; row < 2; row++) {
                    raise(i, row, Code.reduce(f, PtxOp.MAX, top[i][row], SHARERS), result[i]);
                }
            }
        });
    }

    /** Finite from the first tile on, where every query sees a key. */
    private void raise(int part, int row, Value largest, Value[][] result) {
        Value raised = f.compute(PtxOp.MAX, reference[part][row], largest);
        Value shrink = f.compute(PtxOp.EXP2, f.sub(reference[part][row], raised));
        f.assign(reference[part][row], PtxOp.MOV, raised);
        f.assign(sum[part][row], PtxOp.MUL, sum[part][row], shrink);
        for (Value[] eight : result) {
            f.assign(eight[2 * row], PtxOp.MUL, eight[2 * row], shrink);
            f.assign(eight[2 * row + 1], PtxOp.MUL, eight[2 * row + 1], shrink);
        }
    }

    private void exponentiate(Value[][][] scores) {
        for (int i = 0; i < scores.length; i++) {
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

    /** By part and eight of keys, two words. */
    private Value[][][] packed(Value[][][] powers) {
        Value[][][] words = new Value[powers.length][powers[0].length][2];
        for (int i = 0; i < powers.length; i++) {
            for (int j = 0; j < powers[i].length; j++) {
                Value[] eight = powers[i][j];
                words[i][j][0] = TensorCode.pack(f, arithmetic, eight[0], eight[1]);
                words[i][j][1] = TensorCode.pack(f, arithmetic, eight[2], eight[3]);
            }
        }
        return words;
    }

    /** What a query's results are to be multiplied by in the end. */
    Value inverse(int part, int row) {
        return f.compute(PtxOp.RECIPROCAL, Code.reduce(f, PtxOp.ADD, sum[part][row], SHARERS));
    }
}
