package kiln.kernels.emulator;

import java.util.Arrays;

/**
 * 32 threads and their registers. Threads that part run lowest instruction first and join where they meet; the code that compilers and our emitter
 * write (forward branches to a join, backward ones to a loop's head) then reconverges as early as it can.
 */
final class Warp {
    /** What a register holds before it is written: a NaN, a wild address. */
    private static final int POISON = 0x7fa5_a5a5;

    final ThreadBlock block;
    final int number;
    final int[][] r32;
    final long[][] r64;
    final int[] predicates;
    /** Each lane's local memory; null if the kernel has none. */
    final byte[][] local;
    final PendingCopies copies = new PendingCopies();
    /** Allocations that lanes found last; most accesses hit one of them again. */
    private final DeviceMemory.Allocation[] recent = new DeviceMemory.Allocation[4];
    private int oldest;
    /** Bytes of the access that was looked up last. */
    byte[] data;
    /** For one access at a time. */
    final long[] addresses = new long[32];
    final MatrixFragments fragments = new MatrixFragments();
    long steps;
    int existing;

    /** For each register, the lanes that have written it; for the check of uninitialised reads. */
    final int[] written32;
    final int[] written64;
    final int[] writtenPredicates;
    private final boolean watchRegisters;
    /** For each instruction, the lanes whose registers were found to be written: that does not change until the block ends. */
    private final int[] verified;
    private final Dim3[] threads = new Dim3[32];
    private final int[] scratch32 = new int[32];
    private final long[] scratch64 = new long[32];
    private final PtxKernel kernel;
    private Instruction current;

    private int pc;
    private int active;
    private int live;
    private final int[] waitingPc = new int[32];
    private final int[] waitingMask = new int[32];
    private int waitingCount;
    private int nextMeeting = Integer.MAX_VALUE;
    private final int[] parkedPc = new int[32];
    private final int[] parkedMask = new int[32];
    private final int[] parkedBarrier = new int[32];
    private final int[] parkedThreads = new int[32];
    private int parkedCount;

    Warp(ThreadBlock block, int number) {
        this.block = block;
        this.number = number;
        this.kernel = block.launch.kernel;
        r32 = new int[kernel.registers32][32];
        r64 = new long[kernel.registers64][32];
        predicates = new int[kernel.predicates];
        written32 = new int[kernel.registers32];
        written64 = new int[kernel.registers64];
        writtenPredicates = new int[kernel.predicates];
        watchRegisters = block.launch.checks.uninitialisedReads();
        verified = watchRegisters ? new int[kernel.code.length] : null;
        for (int lane = 0; lane < 32; lane++) {
            threads[lane] = block.launch.block.at(number * 32L + lane);
        }
        local = kernel.localBytes == 0 ? null : new byte[32][kernel.localBytes];
        for (PtxKernel.Preset preset : kernel.presets) {
            if (preset.wide()) {
                long base = preset.variable() == null ? 0 : block.launch.addressOf(preset.variable());
                Arrays.fill(r64[preset.index()], base + preset.value());
            } else {
                Arrays.fill(r32[preset.index()], (int) preset.value());
            }
        }
    }

    /** Makes the warp ready for the block that {@link #block} has become. */
    void start() {
        boolean[] preset32 = block.launch.preset32;
        boolean[] preset64 = block.launch.preset64;
        for (int i = 0; i < r32.length; i++) {
            if (!preset32[i]) {
                Arrays.fill(r32[i], POISON);
            }
        }
        for (int i = 0; i < r64.length; i++) {
            if (!preset64[i]) {
                Arrays.fill(r64[i], (long) POISON << 32 | POISON);
            }
        }
        for (PtxKernel.Preset preset : kernel.presets) {
            if (preset.special() != null) {
                for (int lane = 0; lane < 32; lane++) {
                    r32[preset.index()][lane] = preset.special().value(this, lane);
                }
            }
        }
        if (local != null) {
            for (byte[] bytes : local) {
                Arrays.fill(bytes, (byte) 0xa5);
            }
        }
        long threads = block.launch.block.count() - number * 32L;
        existing = threads >= 32 ? -1 : (1 << threads) - 1;
        Arrays.fill(predicates, 0);
        Arrays.fill(written32, 0);
        Arrays.fill(written64, 0);
        Arrays.fill(writtenPredicates, 0);
        if (watchRegisters) {
            Arrays.fill(verified, 0);
        }
        copies.reset();
        pc = 0;
        steps = 0;
        active = existing;
        live = existing;
        waitingCount = 0;
        parkedCount = 0;
        nextMeeting = Integer.MAX_VALUE;
    }

    boolean finished() {
        return live == 0;
    }

    int live() {
        return live;
    }

    int active() {
        return active;
    }

    boolean runnable() {
        return active != 0;
    }

    int line() {
        return current.line();
    }

    /** Runs until every thread has ended or waits at a barrier, or a slice of time is over. */
    void run(long slice) {
        Instruction[] code = kernel.code;
        long end = steps + slice;
        long limit = block.launch.checks.maximumSteps();
        while (active != 0 && steps < end) {
            if (pc >= nextMeeting) {
                regroup();
            }
            Instruction instruction = code[pc];
            current = instruction;
            if (++steps > limit) {
                throw fault(Integer.numberOfTrailingZeros(active), "still runs after " + limit + " instructions");
            }
            int mask = active;
            boolean watched = watchRegisters && (active & ~verified[pc]) != 0;
            if (instruction.guarded()) {
                if (watched) {
                    checkGuard(instruction);
                }
                mask &= predicate(instruction.guard());
            }
            switch (instruction.flow()) {
                case NEXT -> {
                    if (mask != 0) {
                        if (watched) {
                            checkRegisters(instruction, mask);
                        }
                        instruction.operation().execute(this, mask);
                    }
                    pc++;
                }
                case BRANCH -> {
                    if (watched) {
                        verified[pc] |= active;
                    }
                    if (mask == active) {
                        pc = instruction.target();
                    } else {
                        if (mask != 0) {
                            active &= ~mask;
                            await(instruction.target(), mask);
                        }
                        pc++;
                    }
                }
                case EXIT -> {
                    live &= ~mask;
                    leave(mask);
                }
                case BARRIER -> {
                    if (mask == 0) {
                        pc++;
                    } else {
                        arrive(instruction.barrier(), mask);
                    }
                }
            }
        }
    }

    private void checkGuard(Instruction instruction) {
        int guard = instruction.guard() < 0 ? ~instruction.guard() : instruction.guard();
        int unwritten = active & ~writtenPredicates[guard];
        if (unwritten != 0) {
            throw fault(Integer.numberOfTrailingZeros(unwritten), "the guard is read, but this thread has not written it");
        }
    }

    private void checkRegisters(Instruction instruction, int mask) {
        RegisterUse use = instruction.use();
        if (!use.allWritten(this, mask)) {
            Register unwritten = use.unwritten(this, mask);
            int lane = Integer.numberOfTrailingZeros(mask & ~RegisterUse.lanes(this, unwritten));
            throw fault(lane, "register " + unwritten.name + " is read, but this thread has not written it");
        }
        use.mark(this, mask);
        verified[pc] |= mask;
    }

    private void arrive(Instruction.Barrier barrier, int mask) {
        int lane = Integer.numberOfTrailingZeros(mask);
        if (barrier.aligned() && mask != live) {
            int absent = Integer.numberOfTrailingZeros(live & ~mask);
            throw fault(lane, "barrier divergence: thread " + thread(absent) + " of the same warp does not come to this barrier");
        }
        int id = r32[barrier.id()][lane];
        int threads = barrier.threads() < 0 ? -1 : r32[barrier.threads()][lane];
        if (!barrier.waits()) {
            block.arriveWithoutWaiting(id, this);
            pc++;
            return;
        }
        parkedPc[parkedCount] = pc + 1;
        parkedMask[parkedCount] = mask;
        parkedBarrier[parkedCount] = id;
        parkedThreads[parkedCount++] = threads;
        leave(mask);
    }

    /** Lanes stop running here; the others go on at the next instruction, or the next waiting group does. */
    private void leave(int mask) {
        active &= ~mask;
        if (active != 0) {
            pc++;
        } else if (waitingCount > 0) {
            takeLowest();
        }
    }

    private void await(int target, int mask) {
        waitingPc[waitingCount] = target;
        waitingMask[waitingCount++] = mask;
        nextMeeting = Math.min(nextMeeting, target);
    }

    private void regroup() {
        if (pc > nextMeeting) {
            int mask = active;
            int at = pc;
            takeLowest();
            await(at, mask);
        }
        join();
    }

    private void takeLowest() {
        int lowest = 0;
        for (int i = 1; i < waitingCount; i++) {
            if (waitingPc[i] < waitingPc[lowest]) {
                lowest = i;
            }
        }
        pc = waitingPc[lowest];
        active = waitingMask[lowest];
        waitingCount--;
        waitingPc[lowest] = waitingPc[waitingCount];
        waitingMask[lowest] = waitingMask[waitingCount];
        join();
    }

    private void join() {
        int next = Integer.MAX_VALUE;
        int kept = 0;
        for (int i = 0; i < waitingCount; i++) {
            if (waitingPc[i] == pc) {
                active |= waitingMask[i];
            } else {
                waitingPc[kept] = waitingPc[i];
                waitingMask[kept++] = waitingMask[i];
                next = Math.min(next, waitingPc[i]);
            }
        }
        waitingCount = kept;
        nextMeeting = next;
    }

    /** Threads of this warp that wait at a barrier. */
    int parkedAt(int barrier) {
        int mask = 0;
        for (int i = 0; i < parkedCount; i++) {
            mask |= parkedBarrier[i] == barrier ? parkedMask[i] : 0;
        }
        return mask;
    }

    /** The thread count that a waiting thread named for a barrier; -1 for the whole block, 0 if none waits there. */
    int threadsWantedAt(int barrier) {
        for (int i = 0; i < parkedCount; i++) {
            if (parkedBarrier[i] == barrier) {
                return parkedThreads[i];
            }
        }
        return 0;
    }

    /** Lets the threads at a barrier go on. */
    void release(int barrier) {
        int kept = 0;
        for (int i = 0; i < parkedCount; i++) {
            if (parkedBarrier[i] == barrier) {
                await(parkedPc[i], parkedMask[i]);
            } else {
                parkedPc[kept] = parkedPc[i];
                parkedMask[kept] = parkedMask[i];
                parkedBarrier[kept] = parkedBarrier[i];
                parkedThreads[kept++] = parkedThreads[i];
            }
        }
        parkedCount = kept;
        if (active == 0 && waitingCount > 0) {
            takeLowest();
        }
    }

    KernelFault waitingForever() {
        int lane = Integer.numberOfTrailingZeros(parkedMask[0]);
        current = kernel.code[parkedPc[0] - 1];
        return fault(lane, "waits forever at barrier " + parkedBarrier[0] + ": too few threads of the block come to it");
    }

    int predicate(int encoded) {
        return encoded >= 0 ? predicates[encoded] : ~predicates[~encoded];
    }

    void setPredicate(int index, int value, int mask) {
        predicates[index] = predicates[index] & ~mask | value & mask;
    }

    /** Where an operation that computes all 32 lanes puts its result: the register itself if all lanes are on. */
    int[] begin32(int index, int mask) {
        return mask == -1 ? r32[index] : scratch32;
    }

    void end32(int index, int mask) {
        if (mask != -1) {
            int[] target = r32[index];
            for (int lane = 0; lane < 32; lane++) {
                target[lane] = (mask >>> lane & 1) != 0 ? scratch32[lane] : target[lane];
            }
        }
    }

    long[] begin64(int index, int mask) {
        return mask == -1 ? r64[index] : scratch64;
    }

    void end64(int index, int mask) {
        if (mask != -1) {
            long[] target = r64[index];
            for (int lane = 0; lane < 32; lane++) {
                target[lane] = (mask >>> lane & 1) != 0 ? scratch64[lane] : target[lane];
            }
        }
    }

    /** The live allocation that holds all of an access. */
    DeviceMemory.Allocation allocation(int lane, long address, int bytes, boolean write) {
        for (DeviceMemory.Allocation each : recent) {
            if (each != null && address >= each.base && address + bytes <= each.base + each.bytes && !each.freed) {
                return each;
            }
        }
        DeviceMemory.Allocation found = block.find(address);
        String problem = DeviceMemory.problem(found, address, bytes);
        if (problem != null) {
            throw fault(lane, (write ? "write of " : "read of ") + bytes + " bytes at " + DeviceMemory.hex(address) + " " + problem);
        }
        recent[oldest] = found;
        oldest = (oldest + 1) % recent.length;
        return found;
    }

    Dim3 thread(int lane) {
        return threads[lane];
    }

    KernelFault fault(int lane, String message) {
        return new KernelFault("kernel " + kernel.name + ", line " + current.line() + " (" + current.text() + "), block " + block.position
                + ", thread " + thread(lane) + ": " + message);
    }
}
