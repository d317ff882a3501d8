package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Value;

/** Text for which head a block of a slice's kernel works on: blockIdx.z counts the slice's heads. */
final class HeadPlace {
    private final PtxFunction f;
    private final Value slot;
    private final Value picture;
    private final Value channel;

    HeadPlace(PtxFunction f, Value firstHead, Value heads, Value headSize) {
        this.f = f;
        slot = f.special("%ctaid.z");
        Value head = f.add(firstHead, slot);
        picture = f.compute(PtxOp.DIV, head, heads);
        channel = f.mul(f.sub(head, f.mul(picture, heads)), headSize);
    }

    /** The head's number within the slice. */
    Value slot() {
        return slot;
    }

    Value picture() {
        return picture;
    }

    /** The address of the head's first channel in a row. */
    Value of(DataType type, Value base, Value row, Value stride) {
        return f.address(f.mad(f.mulWide(row, stride), Value.ofLong(type.bytes()), base), channel, type.bytes());
    }
}
