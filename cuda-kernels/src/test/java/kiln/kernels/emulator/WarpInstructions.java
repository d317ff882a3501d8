package kiln.kernels.emulator;

import java.util.Arrays;

/** What the threads of a warp do with one another: shuffle, vote, reduction. */
final class WarpInstructions {
    private WarpInstructions() { }

    /** Threads that a member mask names must be here together, and those here must be named. */
    private static void checkMembers(Warp warp, int mask, int members) {
        int lane = Integer.numberOfTrailingZeros(mask);
        int unnamed = mask & ~members;
        if (unnamed != 0) {
            throw warp.fault(Integer.numberOfTrailingZeros(unnamed), "runs this but is not in the member mask 0x" + Integer.toHexString(members));
        }
        int absent = members & warp.live() & ~mask;
        if (absent != 0) {
            throw warp.fault(lane, "the member mask 0x" + Integer.toHexString(members) + " names thread "
                    + warp.thread(Integer.numberOfTrailingZeros(absent)) + ", which is not here (divergence)");
        }
    }

    static Operation shuffle(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("sync", "idx", "up", "down", "bfly");
        statement.expectOperands(5, 5);
        if (!statement.has("sync") || statement.type() != PtxType.B32) {
            throw statement.unknown();
        }
        String mode = statement.parts().get(2);
        Operand first = operands.at(0);
        boolean pair = first.kind() == Operand.Kind.PAIR;
        int d = operands.target(pair ? first.elements().get(0) : first, PtxType.B32, false);
        int p = pair ? operands.target(first.elements().get(1), PtxType.PRED, false) : -1;
        int a = operands.source(1, PtxType.B32);
        int b = operands.source(2, PtxType.B32);
        int c = operands.source(3, PtxType.B32);
        int m = operands.source(4, PtxType.B32);
        return (warp, mask) -> {
            checkMembers(warp, mask, warp.r32[m][Integer.numberOfTrailingZeros(mask)]);
            int[] source = warp.r32[a].clone();
            int within = 0;
            for (int left = mask; left != 0; left &= left - 1) {
                int lane = Integer.numberOfTrailingZeros(left);
                int by = warp.r32[b][lane] & 31;
                int clamp = warp.r32[c][lane] & 31;
                int segments = warp.r32[c][lane] >>> 8 & 31;
                int most = lane & segments | clamp & ~segments;
                int least = lane & segments;
                int from = switch (mode) {
                    case "up" -> lane - by;
                    case "down" -> lane + by;
                    case "bfly" -> lane ^ by;
                    default -> least | by & ~segments;
                };
                boolean good = mode.equals("up") ? from >= most : from <= most;
                if (!good) {
                    from = lane;
                }
                if ((mask >>> from & 1) == 0) {
                    throw warp.fault(lane, "shuffle reads lane " + from + ", which does not take part");
                }
                within |= good ? 1 << lane : 0;
                warp.r32[d][lane] = source[from];
            }
            if (p >= 0) {
                warp.setPredicate(p, within, mask);
            }
        };
    }

    static Operation vote(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("sync", "all", "any", "uni", "ballot");
        statement.expectOperands(3, 3);
        if (!statement.has("sync")) {
            throw statement.unknown();
        }
        boolean ballot = statement.has("ballot");
        int d = operands.target(0, ballot ? PtxType.B32 : PtxType.PRED);
        int a = operands.predicate(1);
        int m = operands.source(2, PtxType.B32);
        return (warp, mask) -> {
            checkMembers(warp, mask, warp.r32[m][Integer.numberOfTrailingZeros(mask)]);
            int votes = warp.predicate(a) & mask;
            if (ballot) {
                Arrays.fill(warp.begin32(d, mask), votes);
                warp.end32(d, mask);
            } else {
                boolean holds = statement.has("all") ? votes == mask : statement.has("any") ? votes != 0 : votes == 0 || votes == mask;
                warp.setPredicate(d, holds ? -1 : 0, mask);
            }
        };
    }

    static Operation activeMask(Operands operands) {
        int d = operands.target(0, PtxType.B32);
        return (warp, mask) -> {
            Arrays.fill(warp.begin32(d, mask), mask);
            warp.end32(d, mask);
        };
    }

    static Operation reduce(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("sync", "add", "min", "max", "and", "or", "xor");
        statement.expectOperands(3, 3);
        PtxType type = statement.type();
        if (type.bits != 32 || !type.isInteger()) {
            throw statement.unknown();
        }
        String action = statement.parts().get(2);
        int flip = type.isSigned() ? 0 : Integer.MIN_VALUE;
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        int m = operands.source(2, PtxType.B32);
        return (warp, mask) -> {
            checkMembers(warp, mask, warp.r32[m][Integer.numberOfTrailingZeros(mask)]);
            int lane = Integer.numberOfTrailingZeros(mask);
            int result = warp.r32[a][lane];
            for (int left = mask & mask - 1; left != 0; left &= left - 1) {
                int value = warp.r32[a][Integer.numberOfTrailingZeros(left)];
                result = switch (action) {
                    case "add" -> result + value;
                    case "min" -> (value ^ flip) < (result ^ flip) ? value : result;
                    case "max" -> (value ^ flip) > (result ^ flip) ? value : result;
                    case "and" -> result & value;
                    case "or" -> result | value;
                    default -> result ^ value;
                };
            }
            Arrays.fill(warp.begin32(d, mask), result);
            warp.end32(d, mask);
        };
    }

    /** bar.warp.sync. */
    static Operation synchronise(Operands operands) {
        int m = operands.source(0, PtxType.B32);
        return (warp, mask) -> {
            checkMembers(warp, mask, warp.r32[m][Integer.numberOfTrailingZeros(mask)]);
            warp.block.shared.warpBarrier(warp.number);
        };
    }
}
