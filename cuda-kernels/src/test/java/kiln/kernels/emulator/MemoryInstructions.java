package kiln.kernels.emulator;

import java.util.List;
import kiln.kernels.emulator.Variable.Space;

/** ld and st of all spaces, with the checks of each access; and the look-up of addresses that the other accesses share. */
final class MemoryInstructions {
    static final long SHARED_WINDOW = 0x7d00_0000_0000L;
    static final long LOCAL_WINDOW = 0x7c00_0000_0000L;
    private static final long WINDOW_BYTES = 1L << 32;

    /** Where an instruction's address comes from. */
    record Address(Space space, int register, boolean wide, long offset) {
        long of(Warp warp, int lane) {
            return (wide ? warp.r64[register][lane] : warp.r32[register][lane] & 0xffff_ffffL) + offset;
        }
    }

    private static final String[] MODIFIERS = {"param", "global", "shared", "shared::cta", "local", "const", "v2", "v4", "nc", "ca", "cg", "cs", "lu", "cv",
        "wb", "wt", "weak", "volatile", "relaxed", "acquire", "release", "cta", "gpu", "sys", "L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
        "L1::evict_last", "L1::no_allocate", "L2::64B", "L2::128B", "L2::256B"};

    private MemoryInstructions() { }

    static Space space(Statement statement) {
        for (String part : statement.parts()) {
            switch (part) {
                case "param" -> {
                    return Space.PARAM;
                }
                case "global" -> {
                    return Space.GLOBAL;
                }
                case "shared", "shared::cta" -> {
                    return Space.SHARED;
                }
                case "local" -> {
                    return Space.LOCAL;
                }
                case "const" -> {
                    return Space.CONST;
                }
                default -> { }
            }
        }
        return Space.GENERIC;
    }

    static Address address(Operands operands, int position, Space space) {
        Operand operand = operands.at(position);
        Statement statement = operands.statement;
        if (operand.kind() != Operand.Kind.ADDRESS) {
            throw statement.error("operand " + operand + " of " + statement.opcode() + " is not an address in brackets");
        }
        if (operand.name().isEmpty()) {
            return new Address(space, operands.builder.constant64(operand.value()), true, 0);
        }
        Register register = operands.scope.register(operand.name());
        if (register != null) {
            if (register.type.bits != 64 && (register.type.bits != 32 || space == Space.GLOBAL || space == Space.CONST || space == Space.GENERIC)) {
                throw statement.error("register " + operand.name() + " has " + register.type.bits + " bits, an address of this space has "
                        + (space == Space.SHARED || space == Space.LOCAL || space == Space.PARAM ? "32 or 64" : "64"));
            }
            return new Address(space, operands.read(register), register.type.bits == 64, operand.value());
        }
        Variable variable = operands.scope.variable(operand.name());
        if (variable == null) {
            throw statement.error("unknown name " + operand.name());
        }
        boolean global = variable.space() == Space.GLOBAL || variable.space() == Space.CONST;
        boolean matches = variable.space() == space || space == Space.GENERIC && global;
        if (!matches) {
            throw statement.error(variable.name() + " is in ." + variable.space().name().toLowerCase(java.util.Locale.ROOT) + ", which "
                    + statement.opcode() + " does not access");
        }
        return new Address(space, operands.variableAddress(variable, operand.value(), true), true, 0);
    }

    /** Checks an access and gives its position within {@link Warp#data}, which it sets. */
    static int locate(Warp warp, int lane, Space space, long address, int bytes, boolean write, boolean atomic) {
        switch (space) {
            case GLOBAL, CONST -> {
                return global(warp, lane, address, bytes, write, atomic);
            }
            case SHARED -> {
                SharedMemory shared = warp.block.shared;
                int at = shared.position(warp, lane, address, bytes, write ? "write" : "read");
                if (atomic) {
                    shared.checkInitialised(warp, lane, at, bytes);
                }
                if (write) {
                    shared.write(warp, lane, at, bytes, atomic);
                } else {
                    shared.read(warp, lane, 1 << lane, at, bytes);
                }
                warp.data = shared.data;
                return at;
            }
            case LOCAL -> {
                return plain(warp, lane, warp.local == null ? new byte[0] : warp.local[lane], address, bytes, "local memory");
            }
            case PARAM -> {
                return plain(warp, lane, warp.block.launch.parameters, address, bytes, "the parameters");
            }
            default -> {
                if (address >= SHARED_WINDOW && address < SHARED_WINDOW + WINDOW_BYTES) {
                    return locate(warp, lane, Space.SHARED, address - SHARED_WINDOW, bytes, write, atomic);
                }
                if (address >= LOCAL_WINDOW && address < LOCAL_WINDOW + WINDOW_BYTES) {
                    return locate(warp, lane, Space.LOCAL, address - LOCAL_WINDOW, bytes, write, atomic);
                }
                return global(warp, lane, address, bytes, write, atomic);
            }
        }
    }

    private static int plain(Warp warp, int lane, byte[] data, long address, int bytes, String what) {
        if (address < 0 || address + bytes > data.length) {
            throw warp.fault(lane, "access of " + bytes + " bytes at offset " + address + " is outside the " + data.length + " bytes of " + what);
        }
        if (address % bytes != 0) {
            throw warp.fault(lane, "access of " + bytes + " bytes at offset " + address + " of " + what + " is not aligned");
        }
        warp.data = data;
        return (int) address;
    }

    private static int global(Warp warp, int lane, long address, int bytes, boolean write, boolean atomic) {
        DeviceMemory.Allocation allocation = warp.allocation(lane, address, bytes, write);
        int at = (int) (address - allocation.base);
        if ((at & bytes - 1) != 0) {
            throw warp.fault(lane, (write ? "write of " : "read of ") + bytes + " bytes at " + DeviceMemory.hex(address) + " is not aligned");
        }
        byte[] initialised = allocation.initialised;
        if ((!write || atomic) && warp.block.launch.checks.uninitialisedReads() && !DeviceMemory.allSet(initialised, at, bytes)) {
            throw warp.fault(lane, "read of " + bytes + " bytes at " + DeviceMemory.hex(address) + " (offset " + at + " of its allocation)"
                    + " that were never written");
        }
        if (write) {
            DeviceMemory.setAll(initialised, at, bytes);
        }
        warp.data = allocation.data;
        return at;
    }

    private static int vector(Statement statement) {
        return statement.has("v4") ? 4 : statement.has("v2") ? 2 : 1;
    }

    static Operation load(Operands operands) {
        Statement statement = operands.statement;
        statement.allow(MODIFIERS);
        statement.expectOperands(2, 2);
        PtxType type = type(statement);
        Space space = space(statement);
        Address address = address(operands, 1, space);
        int count = vector(statement);
        List<Operand> elements = elements(operands, 0, count);
        int[] targets = new int[count];
        int[] widths = new int[count];
        for (int i = 0; i < count; i++) {
            targets[i] = operands.target(elements.get(i), type, true);
            widths[i] = elements.get(i).kind() == Operand.Kind.SINK ? type.bits : operands.register(elements.get(i)).type.bits;
        }
        int bytes = type.bytes();
        if (space == Space.SHARED || space == Space.GENERIC) {
            operands.builder.sharedAccess(bytes);
        }
        boolean signed = type.isSigned();
        if (bytes == 4 && allAre(widths, 32)) {
            return load32(address, space, targets);
        }
        return (warp, mask) -> {
            for (int left = mask; left != 0; left &= left - 1) {
                int lane = Integer.numberOfTrailingZeros(left);
                int at = locate(warp, lane, space, address.of(warp, lane), bytes * targets.length, false, false);
                byte[] data = warp.data;
                for (int i = 0; i < targets.length; i++, at += bytes) {
                    long value = switch (bytes) {
                        case 1 -> signed ? data[at] : data[at] & 0xff;
                        case 2 -> signed ? (short) DeviceMemory.SHORT.get(data, at) : (short) DeviceMemory.SHORT.get(data, at) & 0xffff;
                        case 4 -> signed ? (int) DeviceMemory.INT.get(data, at) : (int) DeviceMemory.INT.get(data, at) & 0xffff_ffffL;
                        default -> (long) DeviceMemory.LONG.get(data, at);
                    };
                    if (widths[i] == 64) {
                        warp.r64[targets[i]][lane] = value;
                    } else {
                        warp.r32[targets[i]][lane] = widths[i] == 32 ? (int) value : (int) value & 0xffff;
                    }
                }
            }
        };
    }

    /** The common case, by itself: what several neighbouring lanes read is looked up once. */
    private static Operation load32(Address address, Space space, int[] targets) {
        int count = targets.length;
        int bytes = 4 * count;
        // The same local address, which a generic one may be, is another place for each lane.
        boolean perLane = space == Space.LOCAL || space == Space.GENERIC;
        boolean shared = space == Space.SHARED;
        return (warp, mask) -> {
            long[] addresses = addresses(warp, address);
            int[] first = warp.r32[targets[0]];
            int[] second = count > 1 ? warp.r32[targets[1]] : null;
            int[] third = count > 2 ? warp.r32[targets[2]] : null;
            int[] fourth = count > 2 ? warp.r32[targets[3]] : null;
            int left = mask;
            while (left != 0) {
                int lane = Integer.numberOfTrailingZeros(left);
                long where = addresses[lane];
                int lanes = left & -left;
                left &= left - 1;
                while (left != 0 && !perLane && addresses[Integer.numberOfTrailingZeros(left)] == where) {
                    lanes |= left & -left;
                    left &= left - 1;
                }
                int at;
                if (shared) {
                    SharedMemory memory = warp.block.shared;
                    at = memory.position(warp, lane, where, bytes, "read");
                    memory.read(warp, lane, lanes, at, bytes);
                    warp.data = memory.data;
                } else {
                    at = locate(warp, lane, space, where, bytes, false, false);
                }
                byte[] data = warp.data;
                spread(first, lanes, lane, (int) DeviceMemory.INT.get(data, at));
                if (count > 1) {
                    spread(second, lanes, lane, (int) DeviceMemory.INT.get(data, at + 4));
                    if (count > 2) {
                        spread(third, lanes, lane, (int) DeviceMemory.INT.get(data, at + 8));
                        spread(fourth, lanes, lane, (int) DeviceMemory.INT.get(data, at + 12));
                    }
                }
            }
        };
    }

    /** All lanes' addresses; a copy, as the load may write its own address register. */
    private static long[] addresses(Warp warp, Address address) {
        long[] addresses = warp.addresses;
        if (address.wide) {
            long[] register = warp.r64[address.register];
            for (int i = 0; i < 32; i++) {
                addresses[i] = register[i] + address.offset;
            }
        } else {
            int[] register = warp.r32[address.register];
            for (int i = 0; i < 32; i++) {
                addresses[i] = (register[i] & 0xffff_ffffL) + address.offset;
            }
        }
        return addresses;
    }

    private static void spread(int[] target, int lanes, int lane, int value) {
        target[lane] = value;
        for (int each = lanes & lanes - 1; each != 0; each &= each - 1) {
            target[Integer.numberOfTrailingZeros(each)] = value;
        }
    }

    static Operation store(Operands operands) {
        Statement statement = operands.statement;
        statement.allow(MODIFIERS);
        statement.expectOperands(2, 2);
        PtxType type = type(statement);
        Space space = space(statement);
        if (space == Space.CONST || space == Space.PARAM) {
            throw statement.error(statement.opcode() + ": this space cannot be written");
        }
        Address address = address(operands, 0, space);
        int count = vector(statement);
        List<Operand> elements = elements(operands, 1, count);
        int[] sources = new int[count];
        boolean[] wide = new boolean[count];
        boolean anyWide = false;
        for (int i = 0; i < count; i++) {
            sources[i] = operands.source(elements.get(i), type, true);
            Register register = operands.scope.register(elements.get(i).name());
            wide[i] = register == null ? type.bits == 64 : register.type.bits == 64;
            anyWide |= wide[i];
        }
        int bytes = type.bytes();
        if (space == Space.SHARED || space == Space.GENERIC) {
            operands.builder.sharedAccess(bytes);
        }
        if (bytes == 4 && !anyWide) {
            return store32(address, space, sources);
        }
        return (warp, mask) -> {
            for (int left = mask; left != 0; left &= left - 1) {
                int lane = Integer.numberOfTrailingZeros(left);
                int at = locate(warp, lane, space, address.of(warp, lane), bytes * sources.length, true, false);
                byte[] data = warp.data;
                for (int i = 0; i < sources.length; i++, at += bytes) {
                    long value = wide[i] ? warp.r64[sources[i]][lane] : warp.r32[sources[i]][lane];
                    switch (bytes) {
                        case 1 -> data[at] = (byte) value;
                        case 2 -> DeviceMemory.SHORT.set(data, at, (short) value);
                        case 4 -> DeviceMemory.INT.set(data, at, (int) value);
                        default -> DeviceMemory.LONG.set(data, at, value);
                    }
                }
            }
        };
    }

    /** The common case, by itself. */
    private static Operation store32(Address address, Space space, int[] sources) {
        int count = sources.length;
        return (warp, mask) -> {
            int[] first = warp.r32[sources[0]];
            int[] second = count > 1 ? warp.r32[sources[1]] : null;
            int[] third = count > 2 ? warp.r32[sources[2]] : null;
            int[] fourth = count > 2 ? warp.r32[sources[3]] : null;
            for (int left = mask; left != 0; left &= left - 1) {
                int lane = Integer.numberOfTrailingZeros(left);
                int at = locate(warp, lane, space, address.of(warp, lane), 4 * count, true, false);
                byte[] data = warp.data;
                DeviceMemory.INT.set(data, at, first[lane]);
                if (count > 1) {
                    DeviceMemory.INT.set(data, at + 4, second[lane]);
                    if (count > 2) {
                        DeviceMemory.INT.set(data, at + 8, third[lane]);
                        DeviceMemory.INT.set(data, at + 12, fourth[lane]);
                    }
                }
            }
        };
    }

    private static PtxType type(Statement statement) {
        PtxType type = statement.type();
        if (type == PtxType.PRED || statement.types().size() != 1) {
            throw statement.unknown();
        }
        return type;
    }

    private static List<Operand> elements(Operands operands, int position, int count) {
        List<Operand> elements = operands.elements(position);
        if (elements.size() != count) {
            throw operands.statement.error(operands.statement.opcode() + " moves " + count + " values, its operand has " + elements.size());
        }
        return elements;
    }

    private static boolean allAre(int[] widths, int bits) {
        for (int width : widths) {
            if (width != bits) {
                return false;
            }
        }
        return true;
    }
}
