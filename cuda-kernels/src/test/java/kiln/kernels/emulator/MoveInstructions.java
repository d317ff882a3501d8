package kiln.kernels.emulator;

import java.util.Arrays;
import java.util.List;

/** mov, with packing and unpacking, and cvta. */
final class MoveInstructions {
    private MoveInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        statement.allow();
        statement.expectOperands(2, 2);
        PtxType type = statement.type();
        if (type == PtxType.PRED) {
            return PredicateInstructions.logic(operands);
        }
        if (operands.at(0).kind() == Operand.Kind.VECTOR) {
            return unpack(operands, type);
        }
        if (operands.at(1).kind() == Operand.Kind.VECTOR) {
            return pack(operands, type);
        }
        int d = operands.target(0, type);
        String name = operands.at(1).name();
        if (name.equals("%clock") || name.equals("%clock_hi")) {
            return (warp, mask) -> {
                Arrays.fill(warp.begin32(d, mask), (int) (name.equals("%clock") ? warp.steps : warp.steps >>> 32));
                warp.end32(d, mask);
            };
        }
        if (name.equals("%clock64") || name.equals("%globaltimer")) {
            return (warp, mask) -> {
                Arrays.fill(warp.begin64(d, mask), warp.steps);
                warp.end64(d, mask);
            };
        }
        int a = operands.source(1, type);
        return copy(type, d, a);
    }

    static Operation copy(PtxType type, int d, int a) {
        if (type.bits == 64) {
            return Lanes.unary((long[] dd, long[] aa) -> System.arraycopy(aa, 0, dd, 0, 32), d, a);
        }
        return Lanes.unary((int[] dd, int[] aa) -> System.arraycopy(aa, 0, dd, 0, 32), d, a);
    }

    private static PtxType part(Statement statement, PtxType type, int count) {
        return switch (type.bits / Math.max(count, 1)) {
            case 8 -> PtxType.B8;
            case 16 -> PtxType.B16;
            case 32 -> PtxType.B32;
            default -> throw statement.error(statement.opcode() + " cannot have " + count + " parts");
        };
    }

    private static Operation pack(Operands operands, PtxType type) {
        List<Operand> elements = operands.at(1).elements();
        PtxType part = part(operands.statement, type, elements.size());
        int[] sources = operands.sources(1, part, elements.size());
        int d = operands.target(0, type);
        long ones = (1L << part.bits) - 1;
        if (type.bits == 64) {
            return (warp, mask) -> {
                long[] target = warp.begin64(d, mask);
                for (int i = 0; i < 32; i++) {
                    long bits = 0;
                    for (int element = 0; element < sources.length; element++) {
                        bits |= (warp.r32[sources[element]][i] & ones) << element * part.bits;
                    }
                    target[i] = bits;
                }
                warp.end64(d, mask);
            };
        }
        return (warp, mask) -> {
            int[] target = warp.begin32(d, mask);
            for (int i = 0; i < 32; i++) {
                int bits = 0;
                for (int element = 0; element < sources.length; element++) {
                    bits |= (int) (warp.r32[sources[element]][i] & ones) << element * part.bits;
                }
                target[i] = bits;
            }
            warp.end32(d, mask);
        };
    }

    private static Operation unpack(Operands operands, PtxType type) {
        List<Operand> elements = operands.at(0).elements();
        PtxType part = part(operands.statement, type, elements.size());
        int[] targets = operands.targets(0, part, elements.size());
        int a = operands.source(1, type);
        int ones = part.bits == 32 ? -1 : (1 << part.bits) - 1;
        boolean wide = type.bits == 64;
        return (warp, mask) -> {
            // The source may be one of the targets.
            long[] source = new long[32];
            for (int i = 0; i < 32; i++) {
                source[i] = wide ? warp.r64[a][i] : warp.r32[a][i];
            }
            for (int element = 0; element < targets.length; element++) {
                int[] target = warp.begin32(targets[element], mask);
                for (int i = 0; i < 32; i++) {
                    target[i] = (int) (source[i] >>> element * part.bits) & ones;
                }
                warp.end32(targets[element], mask);
            }
        };
    }

    /** cvta and cvta.to: global addresses are generic ones; shared and local memory lie in windows of the generic space. */
    static Operation convertAddress(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("to", "global", "shared", "local", "const", "param", "shared::cta");
        statement.expectOperands(2, 2);
        PtxType type = statement.type();
        int d = operands.target(0, type);
        int a = operands.source(1, type);
        long window = statement.has("shared") || statement.has("shared::cta") ? MemoryInstructions.SHARED_WINDOW
                : statement.has("local") ? MemoryInstructions.LOCAL_WINDOW : 0;
        if (window == 0) {
            return copy(type, d, a);
        }
        if (type.bits != 64) {
            throw statement.error(statement.opcode() + " of 32 bits is not supported");
        }
        long add = statement.has("to") ? -window : window;
        return Lanes.unary((long[] dd, long[] aa) -> {
            for (int i = 0; i < 32; i++) {
                dd[i] = aa[i] + add;
            }
        }, d, a);
    }
}
