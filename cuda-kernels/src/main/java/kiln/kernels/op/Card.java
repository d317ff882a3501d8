package kiln.kernels.op;

import kiln.kernels.CudaContext;
import kiln.kernels.ptx.Target;

/**
 * What the choice of a kernel's variant needs to know of a card.
 *
 * @param capability compute capability, times ten: 86 for sm_86
 * @param multiprocessors how many blocks run at the same time without sharing one
 */
public record Card(int capability, int multiprocessors) {
    /** A mid-range card's: what is assumed where nobody asked the driver. */
    private static final int ASSUMED_MULTIPROCESSORS = 16;

    public Card {
        if (!Target.FLOOR.runsOn(capability) || multiprocessors < 1) {
            throw new IllegalArgumentException("sm_" + capability + " with " + multiprocessors + " multiprocessors");
        }
    }

    public static Card of(CudaContext context) {
        return new Card(context.device().capabilityTimesTen(), context.multiprocessors());
    }

    /** A card of which only the capability is known. */
    public static Card of(int capability) {
        return new Card(capability, ASSUMED_MULTIPROCESSORS);
    }

    /** Shared memory of one multiprocessor, from the programming guide's table of capabilities. */
    public int sharedBytes() {
        int kibibytes = switch (capability / 10) {
            case 5, 6 -> capability == 52 || capability == 61 ? 96 : 64;
            case 7 -> capability == 75 ? 64 : 96;
            case 8 -> capability == 80 || capability == 87 ? 164 : 100;
            default -> capability < 120 ? 228 : 100;
        };
        return kibibytes << 10;
    }

    /** Multiplications that one multiprocessor makes in a clock, from the programming guide's table of arithmetic throughput. */
    public int multiplicationsPerClock(Arithmetic arithmetic) {
        return switch (arithmetic) {
            case FMA -> capability == 60 || capability >= 70 && capability <= 80 ? 64 : 128;
            case MMA8 -> 512;
            case MMA16 -> capability == 80 || capability >= 90 ? 1024 : 512;
        };
    }
}
