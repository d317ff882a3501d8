package kiln.kernels.emulator;

import java.util.List;
import kiln.kernels.emulator.Operand.Kind;

/** A statement's operands as register numbers, checked against the types that the instruction wants. */
final class Operands {
    final Statement statement;
    final Scope scope;
    final KernelBuilder builder;
    final RegisterUse use = new RegisterUse();

    Operands(Statement statement, Scope scope, KernelBuilder builder) {
        this.statement = statement;
        this.scope = scope;
        this.builder = builder;
    }

    Operand at(int position) {
        if (position >= statement.operands().size()) {
            throw statement.error(statement.opcode() + " needs an operand " + (position + 1));
        }
        return statement.operands().get(position);
    }

    int count() {
        return statement.operands().size();
    }

    /** A source in the 32-bit file (types up to 32 bits) or the 64-bit file, by the type. */
    int source(int position, PtxType type) {
        return source(at(position), type);
    }

    int source(Operand operand, PtxType type) {
        return source(operand, type, false);
    }

    /** @param wider whether a register wider than the type will do, as for st and cvt */
    int source(Operand operand, PtxType type, boolean wider) {
        boolean wide = type.bits == 64;
        switch (operand.kind()) {
            case INTEGER -> {
                if (type.isFloat() && type.bits >= 32) {
                    throw statement.error("integer " + operand + " where " + statement.opcode() + " wants a floating-point number");
                }
                return wide ? builder.constant64(operand.value()) : builder.constant32(truncated(operand.value(), type));
            }
            case FLOAT32 -> {
                return wide ? builder.constant64(type.isFloat()
                        ? Double.doubleToRawLongBits(Float.intBitsToFloat((int) operand.value())) : operand.value())
                        : builder.constant32(narrowFloat(Float.intBitsToFloat((int) operand.value()), (int) operand.value(), type));
            }
            case FLOAT64 -> {
                double value = Double.longBitsToDouble(operand.value());
                return wide ? builder.constant64(operand.value())
                        : builder.constant32(narrowFloat((float) value, Float.floatToRawIntBits((float) value), type));
            }
            case NAME -> {
                return named(operand, type, wider);
            }
            default -> throw statement.error("operand " + operand + " cannot be read as a value");
        }
    }

    private int truncated(long value, PtxType type) {
        return switch (type.bits) {
            case 8 -> (int) value & 0xff;
            case 16 -> (int) value & 0xffff;
            default -> (int) value;
        };
    }

    private int narrowFloat(float value, int bits, PtxType type) {
        return type == PtxType.F16 ? Half.fromFloat(value) : type == PtxType.BF16 ? SmallFloat.BFLOAT16.encode(value, Rounding.NEAREST) : bits;
    }

    private int named(Operand operand, PtxType type, boolean wider) {
        if (operand.negated()) {
            throw statement.error("operand " + operand + " is negated but not a predicate");
        }
        Register register = scope.register(operand.name());
        if (register != null) {
            checkWidth(register, type, wider);
            return read(register);
        }
        SpecialRegister special = SpecialRegister.of(operand.name());
        if (special != null) {
            if (type.bits == 64) {
                throw statement.error(special.text + " has 32 bits, " + statement.opcode() + " wants 64");
            }
            return builder.special(special);
        }
        if (operand.name().equals("WARP_SZ")) {
            return builder.constant32(32);
        }
        Variable variable = scope.variable(operand.name());
        if (variable != null) {
            return variableAddress(variable, 0, type.bits == 64);
        }
        throw statement.error("unknown name " + operand.name());
    }

    /** The number of a register that the instruction reads. */
    int read(Register register) {
        use.reads(register);
        return builder.index(register);
    }

    /** A register that holds a variable's address in its own space. */
    int variableAddress(Variable variable, long offset, boolean wide) {
        long value = switch (variable.space()) {
            case PARAM, LOCAL -> variable.offset() + offset;
            case SHARED -> SharedMemory.BASE + offset
                    + (variable.dynamic() ? builder.dynamicShared(variable.alignment()) : variable.offset());
            default -> {
                if (!wide) {
                    throw statement.error("the address of " + variable.name() + " has 64 bits");
                }
                yield 0;
            }
        };
        if (variable.space() == Variable.Space.GLOBAL || variable.space() == Variable.Space.CONST) {
            return builder.moduleAddress(variable, offset);
        }
        return wide ? builder.constant64(value) : builder.constant32((int) value);
    }

    private void checkWidth(Register register, PtxType type, boolean wider) {
        boolean fits = type == PtxType.PRED ? register.type == PtxType.PRED
                : register.type != PtxType.PRED && (register.type.bits == type.bits || wider && register.type.bits > type.bits);
        if (!fits) {
            throw statement.error("register " + register.name + " is ." + register.type.name().toLowerCase(java.util.Locale.ROOT)
                    + ", " + statement.opcode() + " wants " + type.bits + " bits" + (type == PtxType.PRED ? " (a predicate)" : ""));
        }
    }

    int target(int position, PtxType type) {
        return target(at(position), type, false);
    }

    int target(Operand operand, PtxType type, boolean wider) {
        if (operand.kind() == Kind.SINK) {
            return type == PtxType.PRED ? builder.sinkPredicate() : type.bits == 64 ? builder.sink64() : builder.sink32();
        }
        Register register = register(operand);
        checkWidth(register, type, wider);
        use.writes(register);
        return builder.index(register);
    }

    /** The declared register that an operand names. */
    Register register(Operand operand) {
        Register register = operand.kind() == Kind.NAME ? scope.register(operand.name()) : null;
        if (register == null) {
            throw statement.error("operand " + operand + " is not a declared register");
        }
        return register;
    }

    /** A predicate source: its number, complemented if negated. */
    int predicate(int position) {
        return predicate(at(position));
    }

    int predicate(Operand operand) {
        if (operand.kind() == Kind.INTEGER) {
            return operand.value() == 0 ? builder.falsePredicate() : ~builder.falsePredicate();
        }
        Register register = register(operand);
        checkWidth(register, PtxType.PRED, false);
        int index = read(register);
        return operand.negated() ? ~index : index;
    }

    /** Elements of a vector operand; a plain operand is a vector of one. */
    List<Operand> elements(int position) {
        Operand operand = at(position);
        return operand.kind() == Kind.VECTOR ? operand.elements() : List.of(operand);
    }

    /** A register number for each element of a vector of the given length. */
    int[] sources(int position, PtxType type, int count) {
        return elements(position, count).stream().mapToInt(element -> source(element, type)).toArray();
    }

    int[] targets(int position, PtxType type, int count) {
        return elements(position, count).stream().mapToInt(element -> target(element, type, false)).toArray();
    }

    private List<Operand> elements(int position, int count) {
        List<Operand> elements = elements(position);
        if (elements.size() != count) {
            throw statement.error(statement.opcode() + ": operand " + (position + 1) + " has " + elements.size() + " elements, " + count + " are needed");
        }
        return elements;
    }
}
