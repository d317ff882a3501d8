package kiln.runtime.exec.cuda;

import java.util.Objects;
import kiln.kernels.DataType;

/**
 * What a program is written for.
 *
 * @param capability compute capability, times ten
 * @param type how results and parameters are stored; sums are 32-bit with either
 * @param int8Weights matrices and convolutions keep their parameters in 8 bits, with one factor for each output channel
 */
public record DeviceTarget(int capability, DataType type, boolean int8Weights) {
    public DeviceTarget {
        Objects.requireNonNull(type, "type");
        if (capability < 50) {
            throw new IllegalArgumentException("compute capability " + capability / 10.0 + "; 5.0 is the lowest");
        }
    }

    /** The same with results in another format; 8-bit parameters go with 16-bit results only. */
    public DeviceTarget withType(DataType other) {
        return new DeviceTarget(capability, other, int8Weights && other == DataType.F16);
    }
}
