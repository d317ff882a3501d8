package kiln.runtime.exec.cuda.program;

/**
 * An address that is not known yet, as a number in the place of the device's: which block it lies in, and how many bytes behind its
 * beginning. Everything that a kernel takes as a {@code long} is such an address, so a program is bound by replacing all of them.
 */
public final class Address {
    /** The blocks of a program. */
    public enum Region {
        /** Results of nodes, and what a node needs while it runs. */
        ARENA,
        /** Parameters, each a block of its own. */
        WEIGHT
    }

    private static final int REGION_SHIFT = 60;
    private static final int INDEX_SHIFT = 42;
    private static final long OFFSET_MASK = (1L << INDEX_SHIFT) - 1;
    private static final int INDEX_MASK = (1 << REGION_SHIFT - INDEX_SHIFT) - 1;

    private Address() {}

    public static long arena(long offset) {
        return of(Region.ARENA, 0, offset);
    }

    public static long weight(int index, long offset) {
        return of(Region.WEIGHT, index, offset);
    }

    private static long of(Region region, int index, long offset) {
        if (offset < 0 || offset > OFFSET_MASK || index < 0 || index > INDEX_MASK) {
            throw new IllegalArgumentException(region + " " + index + " at " + offset);
        }
        // Region 0 is left to plain numbers: a missing bias is 0.
        return (region.ordinal() + 1L) << REGION_SHIFT | (long) index << INDEX_SHIFT | offset;
    }

    public static boolean isSymbol(long address) {
        return address >>> REGION_SHIFT != 0;
    }

    public static Region region(long address) {
        return Region.values()[(int) (address >>> REGION_SHIFT) - 1];
    }

    public static int index(long address) {
        return (int) (address >>> INDEX_SHIFT) & INDEX_MASK;
    }

    public static long offset(long address) {
        return address & OFFSET_MASK;
    }
}
