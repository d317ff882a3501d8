package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The declared registers that an instruction reads and writes; filled while it is decoded, then only read. */
final class RegisterUse {
    private final List<Register> reads = new ArrayList<>();
    private final List<Register> writes = new ArrayList<>();
    // The same by kind, for a look before every instruction.
    private int[] read32 = {};
    private int[] read64 = {};
    private int[] readPredicates = {};
    private int[] write32 = {};
    private int[] write64 = {};
    private int[] writePredicates = {};

    void reads(Register register) {
        reads.add(register);
    }

    void writes(Register register) {
        writes.add(register);
    }

    /** For sources of which only some are used, as those of selp. */
    void forgetReads() {
        reads.clear();
    }

    RegisterUse complete() {
        read32 = indices(reads, RegisterUse::isNarrow);
        read64 = indices(reads, RegisterUse::isWide);
        readPredicates = indices(reads, RegisterUse::isPredicate);
        write32 = indices(writes, RegisterUse::isNarrow);
        write64 = indices(writes, RegisterUse::isWide);
        writePredicates = indices(writes, RegisterUse::isPredicate);
        return this;
    }

    private static int[] indices(List<Register> registers, Predicate<Register> kind) {
        return registers.stream().filter(kind).mapToInt(register -> register.index).distinct().toArray();
    }

    private static boolean isPredicate(Register register) {
        return register.type == PtxType.PRED;
    }

    private static boolean isWide(Register register) {
        return register.type.bits == 64;
    }

    private static boolean isNarrow(Register register) {
        return !isPredicate(register) && !isWide(register);
    }

    /** Whether all lanes of the mask have written whatever is read. */
    boolean allWritten(Warp warp, int mask) {
        return allWritten(warp.written32, read32, mask) && allWritten(warp.written64, read64, mask)
                && allWritten(warp.writtenPredicates, readPredicates, mask);
    }

    private static boolean allWritten(int[] written, int[] registers, int mask) {
        int missing = 0;
        for (int register : registers) {
            missing |= ~written[register];
        }
        return (missing & mask) == 0;
    }

    /** A register that some lane of the mask reads and has not written. */
    Register unwritten(Warp warp, int mask) {
        return reads.stream().filter(register -> (lanes(warp, register) & mask) != mask).findFirst().orElseThrow();
    }

    /** The lanes that have written it. */
    static int lanes(Warp warp, Register register) {
        return (isPredicate(register) ? warp.writtenPredicates : isWide(register) ? warp.written64 : warp.written32)[register.index];
    }

    void mark(Warp warp, int mask) {
        mark(warp.written32, write32, mask);
        mark(warp.written64, write64, mask);
        mark(warp.writtenPredicates, writePredicates, mask);
    }

    private static void mark(int[] written, int[] registers, int mask) {
        for (int register : registers) {
            written[register] |= mask;
        }
    }
}
