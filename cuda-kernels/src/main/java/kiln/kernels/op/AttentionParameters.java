package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/** The registers of what {@link AttentionKernel#call} passes; addresses are those of this block's head. blockIdx is (queries, head, picture). */
final class AttentionParameters {
    final Value q;
    final Value k;
    final Value v;
    final Value out;
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

    AttentionParameters(PtxFunction f, DataType type, int headSize) {
        this.f = f;
        this.type = type;
        Value qFirst = f.parameter("q", PtxType.U64);
        Value kFirst = f.parameter("k", PtxType.U64);
        Value vFirst = f.parameter("v", PtxType.U64);
        Value outFirst = f.parameter("out", PtxType.U64);
        queries = f.parameter("queries", PtxType.U32);
        keys = f.parameter("keys", PtxType.U32);
        qStride = f.parameter("q_stride", PtxType.U32);
        kStride = f.parameter("k_stride", PtxType.U32);
        vStride = f.parameter("v_stride", PtxType.U32);
        outStride = f.parameter("out_stride", PtxType.U32);
        factor = f.parameter("factor_log2e", PtxType.F32);
        Value head = f.mul(f.special("%ctaid.y"), Value.of(headSize));
        Value picture = f.special("%ctaid.z");
        q = begin(qFirst, picture, queries, qStride, head);
        k = begin(kFirst, picture, keys, kStride, head);
        v = begin(vFirst, picture, keys, vStride, head);
        out = begin(outFirst, picture, queries, outStride, head);
    }

    private Value begin(Value base, Value picture, Value length, Value stride, Value head) {
        Value rowsBefore = f.mulWide(f.mul(picture, length), stride);
        return f.address(f.mad(rowsBefore, Value.ofLong(type.bytes()), base), head, type.bytes());
    }
}
