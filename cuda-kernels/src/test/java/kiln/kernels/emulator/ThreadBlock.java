package kiln.kernels.emulator;

import java.util.HashMap;
import java.util.Map;

/** One block at a time: its warps run in order, each until it ends or waits. Reused for the blocks of a launch. */
final class ThreadBlock {
    /** Long enough that switching costs nothing, short enough that warps which wait for each other through memory go on. */
    private static final long SLICE = 1 << 16;
    private static final int BARRIERS = 16;

    final Launch launch;
    final SharedMemory shared;
    final Warp[] warps;
    Dim3 position;
    /** Allocations that warps looked for last: they mostly want the same few. */
    private final DeviceMemory.Allocation[] recent = new DeviceMemory.Allocation[8];
    private int oldest;
    private final Map<Integer, boolean[]> arrivedWithoutWaiting = new HashMap<>();

    ThreadBlock(Launch launch) {
        this.launch = launch;
        int count = (int) ((launch.block.count() + 31) / 32);
        shared = new SharedMemory(launch.sharedBytes, count, launch.kernel.sharedGrainShift, launch.checks);
        warps = new Warp[count];
        for (int i = 0; i < count; i++) {
            warps[i] = new Warp(this, i);
        }
    }

    void run(Dim3 at) {
        position = at;
        shared.reset();
        arrivedWithoutWaiting.clear();
        for (Warp warp : warps) {
            warp.start();
        }
        while (true) {
            boolean ran = false;
            for (Warp warp : warps) {
                if (warp.runnable()) {
                    warp.run(SLICE);
                    ran = true;
                }
            }
            boolean released = releaseBarriers();
            if (!ran && !released) {
                for (Warp warp : warps) {
                    if (!warp.finished()) {
                        throw warp.waitingForever();
                    }
                }
                return;
            }
        }
    }

    /** As {@link DeviceMemory#find}. */
    DeviceMemory.Allocation find(long address) {
        for (DeviceMemory.Allocation each : recent) {
            if (each != null && address >= each.base && address < each.base + each.bytes && !each.freed) {
                return each;
            }
        }
        DeviceMemory.Allocation found = launch.memory.find(address);
        if (found != null) {
            recent[oldest] = found;
            oldest = (oldest + 1) % recent.length;
        }
        return found;
    }

    void arriveWithoutWaiting(int barrier, Warp warp) {
        boolean[] arrived = arrivedWithoutWaiting.computeIfAbsent(barrier, id -> new boolean[warps.length]);
        arrived[warp.number] = true;
    }

    private boolean releaseBarriers() {
        boolean released = false;
        for (int barrier = 0; barrier < BARRIERS; barrier++) {
            int wanted = 0;
            for (Warp warp : warps) {
                int threads = warp.threadsWantedAt(barrier);
                if (threads != 0) {
                    wanted = threads;
                    break;
                }
            }
            if (wanted != 0 && complete(barrier, wanted)) {
                release(barrier);
                released = true;
            }
        }
        return released;
    }

    private boolean complete(int barrier, int wanted) {
        boolean[] others = arrivedWithoutWaiting.get(barrier);
        int arrived = 0;
        int live = 0;
        for (Warp warp : warps) {
            int parked = warp.parkedAt(barrier);
            if (wanted < 0) {
                arrived += Integer.bitCount(parked);
                live += warp.live() == 0 ? 0 : Integer.bitCount(warp.live());
            } else if (parked != 0 && parked == warp.live() || others != null && others[warp.number]) {
                // With a count, a warp stands for 32 threads, also if it has fewer.
                arrived += 32;
            } else {
                arrived += Integer.bitCount(parked);
            }
        }
        return arrived >= (wanted < 0 ? live : wanted);
    }

    private void release(int barrier) {
        boolean[] met = new boolean[warps.length];
        boolean[] others = arrivedWithoutWaiting.remove(barrier);
        for (Warp warp : warps) {
            met[warp.number] = warp.parkedAt(barrier) != 0 || others != null && others[warp.number];
        }
        shared.barrier(met);
        for (Warp warp : warps) {
            warp.release(barrier);
        }
    }
}
