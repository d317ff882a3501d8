package kiln.kernels.emulator;

/**
 * What the emulator watches for beside bounds and alignment, which it always does.
 *
 * @param uninitialisedReads reads of global or shared bytes that nothing wrote, and of registers that the thread did not write
 * @param sharedRaces        accesses of shared memory by different warps with no barrier in between, and use of cp.async's data before a wait
 * @param warpRaces          the same between threads of one warp with no bar.warp.sync in between; only together with sharedRaces
 * @param maximumSteps       instructions that one warp may run before the launch is taken for hung
 */
public record EmulatorChecks(boolean uninitialisedReads, boolean sharedRaces, boolean warpRaces, long maximumSteps) {
    public static final EmulatorChecks ALL = new EmulatorChecks(true, true, true, 1L << 28);
    public static final EmulatorChecks NONE = new EmulatorChecks(false, false, false, Long.MAX_VALUE);

    public EmulatorChecks withUninitialisedReads(boolean watched) {
        return new EmulatorChecks(watched, sharedRaces, warpRaces, maximumSteps);
    }

    public EmulatorChecks withSharedRaces(boolean watched) {
        return new EmulatorChecks(uninitialisedReads, watched, warpRaces, maximumSteps);
    }

    public EmulatorChecks withWarpRaces(boolean watched) {
        return new EmulatorChecks(uninitialisedReads, sharedRaces, watched, maximumSteps);
    }

    public EmulatorChecks withMaximumSteps(long steps) {
        return new EmulatorChecks(uninitialisedReads, sharedRaces, warpRaces, steps);
    }
}
