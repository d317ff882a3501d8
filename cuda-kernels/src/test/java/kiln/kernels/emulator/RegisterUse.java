package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;

/** The declared registers that an instruction reads and writes; filled while it is decoded, then only read. */
final class RegisterUse {
    private final List<Register> reads = new ArrayList<>();
    private final List<Register> writes = new ArrayList<>();
    private Register[] read = {};
    private Register[] written = {};

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
        read = reads.toArray(Register[]::new);
        written = writes.toArray(Register[]::new);
        return this;
    }

    /** A register that some lane of the mask reads and has not written, or null. */
    Register unwritten(Warp warp, int mask) {
        for (Register register : read) {
            if ((warp.writtenLanes(register)[register.index] & mask) != mask) {
                return register;
            }
        }
        return null;
    }

    void mark(Warp warp, int mask) {
        for (Register register : written) {
            warp.writtenLanes(register)[register.index] |= mask;
        }
    }
}
