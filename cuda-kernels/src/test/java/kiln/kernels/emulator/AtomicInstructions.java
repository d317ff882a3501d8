package kiln.kernels.emulator;

import kiln.kernels.emulator.MemoryInstructions.Address;
import kiln.kernels.emulator.Variable.Space;

/** atom and red on global and shared memory; lanes go one after another, lowest first. */
final class AtomicInstructions {
    private AtomicInstructions() { }

    static Operation decode(Operands operands) {
        Statement statement = operands.statement;
        statement.allow("global", "shared", "shared::cta", "relaxed", "acquire", "release", "acq_rel", "cta", "gpu", "sys", "noftz",
                "add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec");
        boolean returns = statement.family().equals("atom");
        int first = returns ? 1 : 0;
        PtxType type = statement.type();
        String action = statement.parts().stream().filter(AtomicInstructions::isAction).findFirst().orElseThrow(statement::unknown);
        boolean swap = action.equals("cas");
        statement.expectOperands(first + (swap ? 3 : 2), first + (swap ? 3 : 2));
        if (type == PtxType.PRED || type.bits < 16 || !returns && (swap || action.equals("exch"))) {
            throw statement.unknown();
        }
        checkType(statement, action, type);
        Space space = MemoryInstructions.space(statement);
        Address address = MemoryInstructions.address(operands, first, space);
        int d = returns ? operands.target(0, type) : -1;
        int b = operands.source(first + 1, type);
        int c = swap ? operands.source(first + 2, type) : b;
        int bytes = type.bytes();
        boolean wide = type.bits == 64;
        if (space != Space.GLOBAL) {
            operands.builder.sharedAccess(bytes);
        }
        return (warp, mask) -> {
            synchronized (warp.block.launch.memory) {
                for (int left = mask; left != 0; left &= left - 1) {
                    int lane = Integer.numberOfTrailingZeros(left);
                    int at = MemoryInstructions.locate(warp, lane, space, address.of(warp, lane), bytes, true, true);
                    byte[] data = warp.data;
                    if (wide) {
                        long old = (long) DeviceMemory.LONG.get(data, at);
                        DeviceMemory.LONG.set(data, at, combine(action, type, old, warp.r64[b][lane], warp.r64[c][lane]));
                        if (d >= 0) {
                            warp.r64[d][lane] = old;
                        }
                    } else {
                        int old = bytes == 2 ? (short) DeviceMemory.SHORT.get(data, at) & 0xffff : (int) DeviceMemory.INT.get(data, at);
                        int result = (int) combine(action, type, old, warp.r32[b][lane], warp.r32[c][lane]);
                        if (bytes == 2) {
                            DeviceMemory.SHORT.set(data, at, (short) result);
                        } else {
                            DeviceMemory.INT.set(data, at, result);
                        }
                        if (d >= 0) {
                            warp.r32[d][lane] = old;
                        }
                    }
                }
            }
        };
    }

    private static boolean isAction(String part) {
        return switch (part) {
            case "add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec" -> true;
            default -> false;
        };
    }

    private static void checkType(Statement statement, String action, PtxType type) {
        boolean untyped = type.name().startsWith("B") && type != PtxType.BF16 && type != PtxType.BF16X2;
        boolean good = switch (action) {
            case "and", "or", "xor", "exch", "cas" -> untyped;
            case "inc", "dec" -> type == PtxType.U32;
            case "add" -> !untyped && (type.bits >= 32 || type.isFloat());
            default -> type.isInteger() && !untyped && type.bits >= 32;
        };
        if (!good) {
            throw statement.unknown();
        }
    }

    private static long combine(String action, PtxType type, long old, long operand, long swapped) {
        switch (action) {
            case "add" -> {
                return switch (type) {
                    case F32 -> Float.floatToRawIntBits(Float.intBitsToFloat((int) old) + Float.intBitsToFloat((int) operand));
                    case F64 -> Double.doubleToRawLongBits(Double.longBitsToDouble(old) + Double.longBitsToDouble(operand));
                    case F16 -> addHalves((int) old, (int) operand);
                    case F16X2 -> addHalves((int) old, (int) operand) | addHalves((int) old >>> 16, (int) operand >>> 16) << 16;
                    case BF16 -> addBrains((int) old, (int) operand);
                    case BF16X2 -> addBrains((int) old, (int) operand) | addBrains((int) old >>> 16, (int) operand >>> 16) << 16;
                    default -> old + operand;
                };
            }
            case "min", "max" -> {
                long x = type == PtxType.U32 ? old & 0xffff_ffffL : old;
                long y = type == PtxType.U32 ? operand & 0xffff_ffffL : operand;
                int order = type == PtxType.U64 ? Long.compareUnsigned(x, y) : Long.compare(x, y);
                return order < 0 == action.equals("min") ? x : y;
            }
            case "and" -> {
                return old & operand;
            }
            case "or" -> {
                return old | operand;
            }
            case "xor" -> {
                return old ^ operand;
            }
            case "exch" -> {
                return operand;
            }
            case "cas" -> {
                return old == operand ? swapped : old;
            }
            case "inc" -> {
                return Integer.compareUnsigned((int) old, (int) operand) >= 0 ? 0 : old + 1;
            }
            default -> {
                return old == 0 || Integer.compareUnsigned((int) old, (int) operand) > 0 ? operand : old - 1;
            }
        }
    }

    private static int addHalves(int a, int b) {
        return Half.fromFloat(Half.toFloat(a) + Half.toFloat(b));
    }

    private static int addBrains(int a, int b) {
        return Half.bfloatFromFloat(Half.bfloatToFloat(a) + Half.bfloatToFloat(b));
    }
}
