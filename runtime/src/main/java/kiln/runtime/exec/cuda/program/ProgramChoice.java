package kiln.runtime.exec.cuda.program;

import kiln.kernels.DataType;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Graph;

/**
 * A graph's programs: the whole, and one in bands for when the card has too little for that. Both give the same results to the bit, unless
 * libraries compute products of the whole. Not for use from several threads at once.
 */
public final class ProgramChoice {
    private final Graph unfused;
    private final DeviceTarget target;
    private final DeviceProgram whole;
    private final long leastArenaBytes;
    private DeviceProgram inBands;
    private long inBandsLimit;

    private ProgramChoice(Graph unfused, DeviceTarget target, DeviceProgram whole, long leastArenaBytes) {
        this.unfused = unfused;
        this.target = target;
        this.whole = whole;
        this.leastArenaBytes = leastArenaBytes;
    }

    /**
     * @param unfused as a model builds it
     * @param libraries that may compute products of the whole
     * @param mayBeInBands whether its maps may go through host memory; where not, there is the whole only
     */
    public static ProgramChoice of(Graph unfused, DeviceTarget target, DeviceLibraries libraries, boolean mayBeInBands) {
        DeviceProgram whole = Lowering.lower(unfused, target, libraries);
        long least = mayBeInBands ? Lowering.leastArenaBytes(unfused, target) : whole.arenaBytes();
        return new ProgramChoice(unfused, target, whole, Math.min(least, whole.arenaBytes()));
    }

    public DeviceProgram whole() {
        return whole;
    }

    public DataType type() {
        return target.type();
    }

    /** The smallest arena that {@link #within} needs. */
    public long leastArenaBytes() {
        return leastArenaBytes;
    }

    /** The fastest program for an arena of so many bytes, {@link #leastArenaBytes} or more. */
    public DeviceProgram within(long arenaBytes) {
        if (whole.arenaBytes() <= arenaBytes || leastArenaBytes == whole.arenaBytes()) {
            return whole;
        }
        if (inBands == null || inBandsLimit != arenaBytes) {
            inBands = Lowering.lower(unfused, target, arenaBytes);
            inBandsLimit = arenaBytes;
        }
        return inBands;
    }
}
