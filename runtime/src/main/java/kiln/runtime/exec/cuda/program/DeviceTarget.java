package kiln.runtime.exec.cuda.program;

import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;

/**
 * What a program is written for.
 *
 * @param card what the choice of kernels goes by
 * @param type how results and vectors of parameters are stored, F16 or F32; sums are 32-bit with either
 * @param matrices how the parameters of matrices and convolutions are stored: as {@code type}, in 16 bits, or in 8 bits with one factor for
 *     each output channel
 */
public record DeviceTarget(Card card, DataType type, DataType matrices, AttentionChoice attention) {
    public DeviceTarget {
        Objects.requireNonNull(card, "card");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(matrices, "matrices");
        Objects.requireNonNull(attention, "attention");
        if (type == DataType.I8 || matrices == DataType.F32 && type != DataType.F32) {
            throw new IllegalArgumentException(type.label() + " results with " + matrices.label() + " matrices");
        }
    }

    public DeviceTarget(Card card, DataType type, DataType matrices) {
        this(card, type, matrices, AttentionChoice.USUAL);
    }

    /** All in 32 bits. */
    public DeviceTarget wide() {
        return new DeviceTarget(card, DataType.F32, DataType.F32, attention);
    }

    /** Results in 32 bits, with the same matrices. */
    public DeviceTarget upcast() {
        return new DeviceTarget(card, DataType.F32, matrices, attention);
    }
}
