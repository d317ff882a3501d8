package kiln.kernels;

import kiln.kernels.ptx.PtxType;

/** How a kernel's tensors are stored; arithmetic and sums are 32-bit floats with either. */
public enum DataType {
    F16(PtxType.F16),
    F32(PtxType.F32);

    private final PtxType ptx;

    DataType(PtxType ptx) {
        this.ptx = ptx;
    }

    public PtxType ptx() {
        return ptx;
    }

    public int bytes() {
        return ptx.bytes();
    }

    /** As in variants' names: "f16". */
    public String label() {
        return ptx.suffix();
    }
}
