package kiln.kernels.ptx;

import java.util.LinkedHashMap;
import java.util.Map;

/** Hands out virtual registers; the assembler maps them to real ones. */
final class Registers {
    private final Map<String, Integer> counts = new LinkedHashMap<>();
    private final Map<String, String> types = new LinkedHashMap<>();

    Value next(PtxType type) {
        types.put(type.registerPrefix(), type.registerType());
        int number = counts.merge(type.registerPrefix(), 1, Integer::sum);
        return new Value(type, type.registerPrefix() + number);
    }

    /** One line per kind: {@code .reg .f32 %f<17>;} declares %f0 to %f16. */
    String declarations() {
        StringBuilder out = new StringBuilder();
        counts.forEach((prefix, count) ->
                out.append("    .reg .").append(types.get(prefix)).append(' ').append(prefix).append('<').append(count + 1).append(">;\n"));
        return out.toString();
    }
}
