package kiln.kernels.emulator;

import java.util.Arrays;

/**
 * One block's shared memory with what is known of each grain of it: whether it was written, by whom last, and who has read it since.
 * Two accesses race when they come from different warps with no barrier in between that both passed, and one is a write; barriers are followed by a
 * vector clock per warp. Threads of one warp need a bar.warp.sync (or a barrier of the block) in between, which lets the warp's own clock go on.
 */
final class SharedMemory {
    /** Offset 0 of the space is not used, so that a missing address is seen. */
    static final int BASE = 1024;
    private static final int ATOMIC = 1;

    final byte[] data;
    final byte[] initialised;
    private final boolean races;
    private final boolean warpRaces;
    private final int shift;
    private final int[][] clocks;
    private final int[] writeWarp;
    private final int[] writeTime;
    private final int[] writePlace;
    private final long[] writeStep;
    private final byte[] writeFlags;
    private final int[] pendingCopyLine;
    private final int[][] readTime;
    private final int[][] readPlace;
    private final int[][] readLanes;
    private int pendingCopies;

    SharedMemory(int bytes, int warps, int grainShift, EmulatorChecks checks) {
        data = new byte[bytes];
        initialised = checks.uninitialisedReads() ? new byte[bytes] : null;
        races = checks.sharedRaces();
        warpRaces = races && checks.warpRaces();
        shift = grainShift;
        int grains = races ? (bytes >> shift) + 1 : 0;
        clocks = new int[warps][warps];
        writeWarp = new int[grains];
        writeTime = new int[grains];
        writePlace = new int[grains];
        writeStep = new long[grains];
        writeFlags = new byte[grains];
        pendingCopyLine = new int[grains];
        readTime = new int[warps][];
        readPlace = new int[warps][];
        readLanes = new int[warps][];
        if (races) {
            for (int warp = 0; warp < warps; warp++) {
                readTime[warp] = new int[grains];
                readPlace[warp] = new int[grains];
                readLanes[warp] = new int[grains];
            }
        }
        reset();
    }

    /** Forgets everything before the next block; what an earlier block left is overwritten by a pattern. */
    void reset() {
        Arrays.fill(data, (byte) 0xa5);
        if (initialised != null) {
            Arrays.fill(initialised, (byte) 0);
        }
        for (int warp = 0; warp < clocks.length; warp++) {
            Arrays.fill(clocks[warp], 0);
            clocks[warp][warp] = 1;
            if (races) {
                Arrays.fill(readTime[warp], 0);
            }
        }
        Arrays.fill(writeTime, 0);
        Arrays.fill(writeFlags, (byte) 0);
        Arrays.fill(pendingCopyLine, 0);
        pendingCopies = 0;
    }

    /** The given warps met at a barrier. */
    void barrier(boolean[] warps) {
        int[] merged = new int[clocks.length];
        for (int warp = 0; warp < clocks.length; warp++) {
            if (warps[warp]) {
                for (int other = 0; other < merged.length; other++) {
                    merged[other] = Math.max(merged[other], clocks[warp][other]);
                }
            }
        }
        for (int warp = 0; warp < clocks.length; warp++) {
            if (warps[warp]) {
                System.arraycopy(merged, 0, clocks[warp], 0, merged.length);
                clocks[warp][warp]++;
            }
        }
    }

    /** The threads of a warp met. */
    void warpBarrier(int warp) {
        clocks[warp][warp]++;
    }

    /** Position in {@link #data} of an access that is within bounds and aligned. */
    int position(Warp warp, int lane, long address, int bytes, String what) {
        long at = address - BASE;
        if (at < 0 || at + bytes > data.length) {
            throw warp.fault(lane, what + " of " + bytes + " bytes at shared offset " + at + " is outside the block's " + data.length
                    + " bytes of shared memory");
        }
        if ((address & (bytes - 1)) != 0) {
            throw warp.fault(lane, what + " of " + bytes + " bytes at shared offset " + at + " is not aligned");
        }
        return (int) at;
    }

    void checkInitialised(Warp warp, int lane, int position, int bytes) {
        if (initialised != null && !DeviceMemory.allSet(initialised, position, bytes)) {
            throw warp.fault(lane, "read of " + bytes + " bytes at shared offset " + position + ", of which some were never written by this block");
        }
    }

    /** @param lanes those that get what is read, {@code lane} among them */
    void read(Warp warp, int lane, int lanes, int position, int bytes) {
        checkInitialised(warp, lane, position, bytes);
        if (!races) {
            return;
        }
        int number = warp.number;
        int[] clock = clocks[number];
        int[] times = readTime[number];
        int time = clock[number];
        int end = (position + bytes - 1) >> shift;
        for (int grain = position >> shift; grain <= end; grain++) {
            if (pendingCopies > 0 && pendingCopyLine[grain] != 0) {
                throw warp.fault(lane, "read at shared offset " + position + " of what the cp.async at line " + pendingCopyLine[grain]
                        + " brings, before a wait for it");
            }
            if (writeTime[grain] > clock[writeWarp[grain]]) {
                throw race(warp, lane, "read", position, "written", writeWarp[grain], writePlace[grain]);
            }
            if (warpRaces && writeWarp[grain] == number && writeTime[grain] == time) {
                int others = lanes & ~(1 << (writePlace[grain] & 31));
                if (others != 0) {
                    throw race(warp, Integer.numberOfTrailingZeros(others), "read", position, "written", number, writePlace[grain]);
                }
            }
            if (times[grain] != time) {
                times[grain] = time;
                readPlace[number][grain] = place(warp, lane);
                readLanes[number][grain] = lanes;
            } else {
                readLanes[number][grain] |= lanes;
            }
        }
    }

    void write(Warp warp, int lane, int position, int bytes, boolean atomic) {
        markInitialised(position, bytes);
        if (!races) {
            return;
        }
        int number = warp.number;
        int[] clock = clocks[number];
        int time = clock[number];
        int place = place(warp, lane);
        int end = (position + bytes - 1) >> shift;
        for (int grain = position >> shift; grain <= end; grain++) {
            if (pendingCopies > 0 && pendingCopyLine[grain] != 0) {
                throw warp.fault(lane, "write at shared offset " + position + " where the cp.async at line " + pendingCopyLine[grain]
                        + " still writes");
            }
            int writer = writeWarp[grain];
            if (writeTime[grain] > clock[writer] && !(atomic && writeFlags[grain] == ATOMIC)) {
                throw race(warp, lane, "write", position, "written", writer, writePlace[grain]);
            }
            if (warpRaces) {
                checkWithinWarp(warp, lane, position, grain, atomic);
            }
            for (int other = 0; other < readTime.length; other++) {
                if (readTime[other][grain] > clock[other] && other != number) {
                    throw race(warp, lane, "write", position, "read", other, readPlace[other][grain]);
                }
            }
            writeWarp[grain] = number;
            writeTime[grain] = time;
            writePlace[grain] = place;
            writeStep[grain] = warp.steps;
            writeFlags[grain] = (byte) (atomic ? ATOMIC : 0);
        }
    }

    private void checkWithinWarp(Warp warp, int lane, int position, int grain, boolean atomic) {
        int number = warp.number;
        int time = clocks[number][number];
        if (writeWarp[grain] == number && writeTime[grain] == time && (writePlace[grain] & 31) != lane && writeStep[grain] != warp.steps
                && !(atomic && writeFlags[grain] == ATOMIC)) {
            throw race(warp, lane, "write", position, "written", number, writePlace[grain]);
        }
        int others = readTime[number][grain] == time ? readLanes[number][grain] & ~(1 << lane) : 0;
        if (others != 0) {
            int place = readPlace[number][grain] & ~31 | Integer.numberOfTrailingZeros(others);
            throw race(warp, lane, "write", position, "read", number, place);
        }
    }

    private void markInitialised(int position, int bytes) {
        if (initialised == null) {
            return;
        }
        DeviceMemory.setAll(initialised, position, bytes);
    }

    /** From now until {@link #copyEnds} the bytes are in flight. */
    void copyBegins(Warp warp, int lane, int position, int bytes) {
        if (!races) {
            return;
        }
        write(warp, lane, position, bytes, false);
        for (int grain = position >> shift; grain <= (position + bytes - 1) >> shift; grain++) {
            pendingCopyLine[grain] = warp.line();
            pendingCopies++;
        }
    }

    void copyEnds(Warp warp, int lane, int position, byte[] bytes) {
        System.arraycopy(bytes, 0, data, position, bytes.length);
        if (races) {
            for (int grain = position >> shift; grain <= (position + bytes.length - 1) >> shift; grain++) {
                pendingCopyLine[grain] = 0;
                pendingCopies--;
            }
        }
        write(warp, lane, position, bytes.length, false);
    }

    private static int place(Warp warp, int lane) {
        return warp.line() * 32 + lane;
    }

    private KernelFault race(Warp warp, int lane, String what, int position, String before, int otherWarp, int place) {
        Dim3 other = warp.block.launch.block.at(otherWarp * 32L + (place & 31));
        return warp.fault(lane, "race in shared memory: " + what + " at offset " + position + ", " + before + " by thread " + other
                + " at line " + (place >>> 5) + " with no barrier" + (otherWarp == warp.number ? " (bar.warp.sync)" : "") + " in between");
    }
}
