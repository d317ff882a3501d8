package kiln.kernels;

/** How much shared memory a block may have, static and dynamic together (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"). */
public final class SharedMemoryLimits {
    /** What every card gives without being asked; more must be dynamic. */
    public static final int STATIC_BYTES = 48 << 10;

    private SharedMemoryLimits() {}

    /** @param capability times ten: 86 */
    public static int ofBlock(int capability) {
        int kibibytes = switch (capability) {
            case 70, 72 -> 96;
            case 75 -> 64;
            case 80, 87 -> 163;
            case 86, 89, 120, 121 -> 99;
            case 90, 100, 101, 103 -> 227;
            // An unknown card: what all that are known to be as new have.
            default -> capability >= 80 ? 99 : capability > 70 ? 64 : 48;
        };
        return kibibytes << 10;
    }
}
