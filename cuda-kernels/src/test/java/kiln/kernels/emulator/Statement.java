package kiln.kernels.emulator;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** One instruction as written: its guard, its opcode split at the dots, its operands. */
record Statement(int line, Operand guard, String opcode, List<String> parts, List<Operand> operands) {
    static Statement of(int line, Operand guard, String opcode, List<Operand> operands) {
        return new Statement(line, guard, opcode, Arrays.asList(opcode.split("\\.")), List.copyOf(operands));
    }

    String family() {
        return parts.get(0);
    }

    boolean has(String part) {
        return parts.contains(part);
    }

    /** The types among the opcode's parts, in order. */
    List<PtxType> types() {
        return parts.stream().map(PtxType::of).filter(type -> type != null).toList();
    }

    PtxType type() {
        List<PtxType> types = types();
        if (types.isEmpty()) {
            throw error("no type in " + opcode);
        }
        return types.get(types.size() - 1);
    }

    /** Refuses parts of the opcode that are not among those that the caller handles; types are always let through. */
    void allow(String... known) {
        for (String part : parts.subList(1, parts.size())) {
            if (PtxType.of(part) == null && !Arrays.asList(known).contains(part)) {
                throw error("unknown modifier ." + part + " of " + opcode);
            }
        }
    }

    void expectOperands(int least, int most) {
        if (operands.size() < least || operands.size() > most) {
            throw error(opcode + " takes " + least + (most > least ? " to " + most : "") + " operands, found " + operands.size());
        }
    }

    PtxException error(String message) {
        return new PtxException(line, message);
    }

    PtxException unknown() {
        return error("unknown instruction " + opcode);
    }

    @Override
    public String toString() {
        String before = guard == null ? "" : "@" + guard + " ";
        return before + opcode + (operands.isEmpty() ? "" : " ")
                + operands.stream().map(Operand::toString).collect(Collectors.joining(", "));
    }
}
