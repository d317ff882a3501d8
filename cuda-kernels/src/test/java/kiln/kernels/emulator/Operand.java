package kiln.kernels.emulator;

import java.util.List;
import java.util.stream.Collectors;

/**
 * An operand as written.
 *
 * @param name     of a register, variable or label; of the base of an address ("" if it is a plain number)
 * @param value    bits of an integer, of an f32 or of an f64 literal; the offset of an address
 * @param elements of a vector, or the two halves of {@code d|p}
 */
record Operand(Kind kind, String name, long value, boolean negated, List<Operand> elements) {
    enum Kind { NAME, INTEGER, FLOAT32, FLOAT64, ADDRESS, VECTOR, PAIR, SINK }

    static Operand name(String name, boolean negated) {
        return new Operand(name.equals("_") ? Kind.SINK : Kind.NAME, name, 0, negated, List.of());
    }

    static Operand literal(Kind kind, long bits) {
        return new Operand(kind, "", bits, false, List.of());
    }

    static Operand address(String base, long offset) {
        return new Operand(Kind.ADDRESS, base, offset, false, List.of());
    }

    static Operand group(Kind kind, List<Operand> elements) {
        return new Operand(kind, "", 0, false, List.copyOf(elements));
    }

    @Override
    public String toString() {
        return switch (kind) {
            case NAME, SINK -> (negated ? "!" : "") + name;
            case INTEGER -> Long.toString(value);
            case FLOAT32 -> String.format("0f%08X", (int) value);
            case FLOAT64 -> String.format("0d%016X", value);
            case ADDRESS -> "[" + name + (name.isEmpty() ? value : value == 0 ? "" : (value > 0 ? "+" : "") + value) + "]";
            case VECTOR -> elements.stream().map(Operand::toString).collect(Collectors.joining(", ", "{", "}"));
            case PAIR -> elements.get(0) + "|" + elements.get(1);
        };
    }
}
