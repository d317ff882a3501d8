package kiln.kernels.op;

import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * Pieces of text around tensor cores.
 *
 * <p>Fragments, as the PTX ISA has them, in steps of eight channels: with {@code group = lane / 4} and {@code pair = 2 · (lane mod 4)}, a
 * step of the left factor is two words, rows {@code group} and {@code group + 8}, channels {@code pair} and the next; a step of the right
 * factor is one word, column {@code group}, the same channels; the sums are rows {@code group} (first two) and {@code group + 8}, columns
 * {@code pair} and the next. So sums, rounded and packed, are steps of a left factor.
 */
public final class TensorCode {
    public static final int ROWS = 16;
    public static final int EIGHT = 8;
    public static final int HALF_BYTES = 2;
    /** Bytes of a row of one of {@link #loadMatrices}'s matrices. */
    public static final int MATRIX_ROW_BYTES = 16;

    private TensorCode() {}

    /**
     * {@code sums += left · right} over steps of eight channels, {@code left} from one of them on, as many as the right factor has: two in one
     * instruction where the card can.
     */
    public static void multiply(PtxFunction f, Arithmetic arithmetic, Value[] sums, Value[][] left, int from, Value[] right) {
        if (arithmetic == Arithmetic.MMA16 && right.length == 2) {
            Value[] both = {left[from][0], left[from][1], left[from + 1][0], left[from + 1][1]};
            multiply(f, 70, "m16n8k16", sums, both, right);
            return;
        }
        for (int i = 0; i < right.length; i++) {
            multiply(f, 65, "m16n8k8", sums, left[from + i], new Value[] {right[i]});
        }
    }

    private static void multiply(PtxFunction f, int version, String shape, Value[] sums, Value[] left, Value[] right) {
        String instruction = "mma.sync.aligned." + shape + ".row.col.f32.f16.f16.f32";
        f.emitSince(version, instruction, braced(sums), braced(left), braced(right), braced(sums));
    }

    /**
     * {@code ldmatrix}: 1, 2 or 4 matrices of 8 rows of 8 halves; lane {@code 8·i + j}'s address is that of row j of matrix i. A lane gets row
     * {@code group}'s channels {@code pair} and the next or, transposed, column {@code group}'s rows {@code pair} and the next.
     */
    public static Value[] loadMatrices(PtxFunction f, int count, boolean transposed, Value address, int offset) {
        Value[] targets = new Value[count];
        for (int i = 0; i < count; i++) {
            targets[i] = f.register(PtxType.B32);
        }
        String instruction = "ldmatrix.sync.aligned.m8n8.x" + count + (transposed ? ".trans" : "") + ".shared.b16";
        f.emitSince(65, instruction, braced(targets), place(address, offset));
        return targets;
    }

    /** Two floats as halves in one word, the first one in its lower part. */
    public static Value pack(PtxFunction f, Arithmetic arithmetic, Value low, Value high) {
        Value word = f.register(PtxType.B32);
        if (arithmetic == Arithmetic.MMA16) {
            f.emitSince(70, "cvt.rn.f16x2.f32", word.text(), high.text(), low.text());
        } else {
            f.emit("mov.b32", word.text(), braced(f.convert(PtxType.F16, low), f.convert(PtxType.F16, high)));
        }
        return word;
    }

    /** A word's two halves, the lower one first. */
    public static Value[] unpack(PtxFunction f, Value word) {
        Value[] halves = {f.register(PtxType.F16), f.register(PtxType.F16)};
        f.emit("mov.b32", braced(halves), word.text());
        return halves;
    }

    /** The two words' lower halves, or upper ones, in one word, the first word's in its lower part. */
    public static Value halves(PtxFunction f, Value first, Value second, boolean upper) {
        Value word = f.register(PtxType.B32);
        f.emit("prmt.b32", word.text(), first.text(), second.text(), upper ? "0x7632" : "0x5410");
        return word;
    }

    /** Begins to copy 16 bytes from global to shared memory; only {@code bytes} of them are read, the rest are zeros. */
    public static void copy(PtxFunction f, Value shared, int offset, Value address, Value bytes) {
        f.emitSince(70, "cp.async.cg.shared.global", place(shared, offset), place(address, 0), "16", bytes.text());
    }

    /** This thread's copies since the last call become a group. */
    public static void commitCopies(PtxFunction f) {
        f.emitSince(70, "cp.async.commit_group");
    }

    /** Waits for this thread's groups but the newest {@code later}; others see the copies behind a barrier. */
    public static void awaitGroups(PtxFunction f, int later) {
        f.emitSince(70, "cp.async.wait_group", Integer.toString(later));
    }

    /** Waits for this thread's copies. */
    public static void awaitCopies(PtxFunction f) {
        f.emitSince(70, "cp.async.wait_all");
    }

    /** Whether the predicate holds in any lane of the warp. */
    public static Value any(PtxFunction f, Value predicate) {
        Value result = f.register(PtxType.PRED);
        f.emit("vote.sync.any.pred", result.text(), predicate.text(), "0xffffffff");
        return result;
    }

    private static String place(Value address, int offset) {
        return "[" + address.text() + (offset == 0 ? "" : "+" + offset) + "]";
    }

    private static String braced(Value... values) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < values.length; i++) {
            out.append(i == 0 ? "" : ", ").append(values[i].text());
        }
        return out.append('}').toString();
    }
}
