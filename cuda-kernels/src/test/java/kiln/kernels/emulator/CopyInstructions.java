package kiln.kernels.emulator;

import kiln.kernels.emulator.MemoryInstructions.Address;
import kiln.kernels.emulator.Variable.Space;

/** cp.async from global to shared memory, its groups and its waits. */
final class CopyInstructions {
    private CopyInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        if (statement.parts().size() < 3 || !statement.parts().get(1).equals("async")) {
            throw statement.unknown();
        }
        switch (statement.parts().get(2)) {
            case "commit_group" -> {
                statement.expectOperands(0, 0);
                return (warp, mask) -> warp.copies.commit(mask);
            }
            case "wait_all" -> {
                statement.expectOperands(0, 0);
                return (warp, mask) -> warp.copies.await(warp, mask, 0, true);
            }
            case "wait_group" -> {
                statement.expectOperands(1, 1);
                if (operands.at(0).kind() != Operand.Kind.INTEGER) {
                    throw statement.error("cp.async.wait_group needs a number");
                }
                int kept = (int) operands.at(0).value();
                return (warp, mask) -> warp.copies.await(warp, mask, kept, false);
            }
            case "ca", "cg" -> {
                return copy(operands);
            }
            default -> throw statement.unknown();
        }
    }

    private static Operation copy(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("async", "ca", "cg", "shared", "shared::cta", "global", "L2::64B", "L2::128B", "L2::256B");
        statement.expectOperands(3, 4);
        if (MemoryInstructions.space(statement) != Space.SHARED || !statement.has("global")) {
            throw statement.unknown();
        }
        Address target = MemoryInstructions.address(operands, 0, Space.SHARED);
        Address source = MemoryInstructions.address(operands, 1, Space.GLOBAL);
        int bytes = operands.at(2).kind() == Operand.Kind.INTEGER ? (int) operands.at(2).value() : 0;
        if (bytes != 16 && (statement.has("cg") || bytes != 4 && bytes != 8)) {
            throw statement.error(statement.opcode() + " copies " + (statement.has("cg") ? "16" : "4, 8 or 16") + " bytes, found " + operands.at(2));
        }
        boolean ignoring = false;
        int limit = -1;
        if (operands.count() == 4) {
            Operand last = operands.at(3);
            Register register = operands.scope.register(last.name());
            ignoring = register != null && register.type == PtxType.PRED;
            limit = ignoring ? operands.predicate(last) : operands.source(last, PtxType.U32);
        }
        boolean limited = operands.count() == 4;
        boolean ignoresByPredicate = ignoring;
        int limitRegister = limit;
        operands.builder.sharedAccess(4);
        return (warp, mask) -> {
            SharedMemory shared = warp.block.shared;
            int ignored = limited && ignoresByPredicate ? warp.predicate(limitRegister) : 0;
            for (int left = mask; left != 0; left &= left - 1) {
                int lane = Integer.numberOfTrailingZeros(left);
                int wanted = limited && !ignoresByPredicate ? warp.r32[limitRegister][lane] : (ignored >>> lane & 1) != 0 ? 0 : bytes;
                if (wanted < 0 || wanted > bytes) {
                    throw warp.fault(lane, "source size " + wanted + " is not within 0.." + bytes);
                }
                int at = shared.position(warp, lane, target.of(warp, lane), bytes, "copy");
                byte[] copied = new byte[bytes];
                if (wanted > 0) {
                    long address = source.of(warp, lane);
                    if ((address & bytes - 1) != 0) {
                        throw warp.fault(lane, "copy of " + bytes + " bytes from " + DeviceMemory.hex(address) + " is not aligned");
                    }
                    copySource(warp, lane, address, wanted, copied);
                }
                shared.copyBegins(warp, lane, at, bytes);
                warp.copies.add(lane, at, copied);
            }
        };
    }

    private static void copySource(Warp warp, int lane, long address, int wanted, byte[] copied) {
        // Piece by piece of a power of two, for a source size such as 12.
        int done = 0;
        while (done < wanted) {
            int piece = Integer.highestOneBit(wanted - done);
            int from = MemoryInstructions.locate(warp, lane, Space.GLOBAL, address + done, piece, false, false);
            System.arraycopy(warp.data, from, copied, done, piece);
            done += piece;
        }
    }
}
