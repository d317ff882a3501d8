package kiln.kernels.op;

import kiln.kernels.DataType;

/** How a product multiplies. */
public enum Arithmetic {
    /** Fused multiply-add of 32-bit floats, on every card. */
    FMA(50, "fma"),
    /** Tensor cores in steps of 8 channels: 16-bit factors, 32-bit sums. */
    MMA8(75, "mma8"),
    /** Tensor cores in steps of 16 channels. */
    MMA16(80, "mma16");

    private final int target;
    private final String label;

    Arithmetic(int target, String label) {
        this.target = target;
        this.label = label;
    }

    /** The lowest compute capability that has it, times ten. */
    public int target() {
        return target;
    }

    /** The fastest that a card has for tensors of that type. */
    public static Arithmetic best(DataType type, int capability) {
        if (type != DataType.F16 || capability < MMA8.target) {
            return FMA;
        }
        return capability < MMA16.target ? MMA8 : MMA16;
    }

    public String label() {
        return label;
    }

    public boolean isTensor() {
        return this != FMA;
    }
}
