package kiln.runtime.exec.cuda;

import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;

/**
 * What a program is written for.
 *
 * @param card what the choice of kernels goes by
 * @param type how results and parameters are stored; sums are 32-bit with either
 * @param int8Weights matrices and convolutions keep their parameters in 8 bits, with one factor for each output channel
 */
public record DeviceTarget(Card card, DataType type, boolean int8Weights, AttentionChoice attention) {
    public DeviceTarget {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(card, "card");
        Objects.requireNonNull(attention, "attention");
    }

    public DeviceTarget(Card card, DataType type, boolean int8Weights) {
        this(card, type, int8Weights, AttentionChoice.USUAL);
    }

    /** The same with results in another format; 8-bit parameters go with 16-bit results only. */
    public DeviceTarget withType(DataType other) {
        return new DeviceTarget(card, other, int8Weights && other == DataType.F16, attention);
    }
}
