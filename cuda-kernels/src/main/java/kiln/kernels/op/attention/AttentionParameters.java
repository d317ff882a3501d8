package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/** The registers of what {@link AttentionKernel#call} passes; addresses are those of this block's head. blockIdx is (queries, head, picture). */
final class AttentionParameters {
    final Value q;
    final Value k;
    final Value v;
    final Value queries;
    final Value keys;
    final Value qStride;
    final Value kStride;
    final Value vStride;
    final Value outStride;
    /** Of the scores, times log2(e): powers of two take the place of powers of e. */
    final Value factor;

    private final PtxFunction f;
    private final DataType type;
    private final int headSize;
    private final Value outFirst;

    AttentionParameters(PtxFunction f, DataType type, int headSize) {
        this.f = f;
        this.type = type;
        this.headSize = headSize;
        Value qFirst = f.parameter("q", PtxType.U64);
        Value kFirst = f.parameter("k", PtxType.U64);
        Value vFirst = f.parameter("v", PtxType.U64);
        outFirst = f.parameter("out", PtxType.U64);
        queries = f.parameter("queries", PtxType.U32);
        keys = f.parameter("keys", PtxType.U32);
        qStride = f.parameter("q_stride", PtxType.U32);
        kStride = f.parameter("k_stride", PtxType.U32);
        vStride = f.parameter("v_stride", PtxType.U32);
        outStride = f.parameter("out_stride", PtxType.U32);
        factor = f.parameter("factor_log2e", PtxType.F32);
        q = begin(qFirst, queries, qStride);
        k = begin(kFirst, keys, kStride);
        v = begin(vFirst, keys, vStride);
    }

    /** Computed where it is asked for, at the end as a rule, so that it takes no registers before. */
    Value out() {
        return begin(outFirst, queries, outStride);
    }

    private Value begin(Value base, Value length, Value stride) {
        Value head = f.mul(f.special("%ctaid.y"), Value.of(headSize));
        Value rowsBefore = f.mulWide(f.mul(f.special("%ctaid.z"), length), stride);
        return f.address(f.mad(rowsBefore, Value.ofLong(type.bytes()), base), head, type.bytes());
    }
}
