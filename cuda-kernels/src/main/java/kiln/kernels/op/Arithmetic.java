package kiln.kernels.op;

import kiln.kernels.DataType;
import kiln.kernels.ptx.Target;

/** How a product multiplies. */
public enum Arithmetic {
    /** Fused multiply-add of 32-bit floats, on every card. */
    FMA(Target.FLOOR, "fma"),
    /** Tensor cores in steps of 8 channels: 16-bit factors, 32-bit sums. */
    MMA8(Target.from(75), "mma8"),
    /** Tensor cores in steps of 16 channels. */
    MMA16(Target.from(80), "mma16");

    private final Target target;
    private final String label;

    Arithmetic(Target target, String label) {
        this.target = target;
        this.label = label;
    }

    /** The cards that have it. */
    public Target target() {
        return target;
    }

    /** The fastest that a card has for tensors of that type. */
    public static Arithmetic best(DataType type, int capability) {
        if (type != DataType.F16 || !MMA8.target.runsOn(capability)) {
            return FMA;
        }
        return MMA16.target.runsOn(capability) ? MMA16 : MMA8;
    }

    public String label() {
        return label;
    }

    public boolean isTensor() {
        return this != FMA;
    }
}
