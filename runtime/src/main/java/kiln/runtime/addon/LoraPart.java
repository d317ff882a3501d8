package kiln.runtime.addon;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a tensor of a {@link LoraFile} is to its module, by the end of its name in kohya's, LyCORIS's, PEFT's and diffusers' files. */
enum LoraPart {
    UP("lora_up.weight", "lora_B.weight", "lora_B.default.weight", "lora.up.weight", "lora_linear_layer.up.weight", "_lora.up.weight"),
    DOWN(
            "lora_down.weight",
            "lora_A.weight",
            "lora_A.default.weight",
            "lora.down.weight",
            "lora_linear_layer.down.weight",
            "_lora.down.weight"),
    MID("lora_mid.weight"),
    HADA_W1_A("hada_w1_a"),
    HADA_W1_B("hada_w1_b"),
    HADA_W2_A("hada_w2_a"),
    HADA_W2_B("hada_w2_b"),
    HADA_T1("hada_t1"),
    HADA_T2("hada_t2"),
    IA3_WEIGHT("weight"),
    IA3_ON_INPUT("on_input"),
    LOKR_W1("lokr_w1"),
    LOKR_W1_A("lokr_w1_a"),
    LOKR_W1_B("lokr_w1_b"),
    LOKR_W2("lokr_w2"),
    LOKR_W2_A("lokr_w2_a"),
    LOKR_W2_B("lokr_w2_b"),
    LOKR_T2("lokr_t2"),
    DIFF("diff"),
    DIFF_B("diff_b"),
    W_NORM("w_norm"),
    B_NORM("b_norm"),
    GLORA_A1("a1.weight"),
    GLORA_A2("a2.weight"),
    GLORA_B1("b1.weight"),
    GLORA_B2("b2.weight"),
    OFT_BLOCKS("oft_blocks"),
    OFT_DIAG("oft_diag"),
    RESCALE("rescale"),
    ALPHA("alpha"),
    SCALE("scale"),
    BIAS("bias"),
    DORA_SCALE(
            "dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default", "lora_magnitude_vector.default.weight");

    private static final Map<String, LoraPart> BY_ENDING = byEnding();

    private final String[] endings;

    LoraPart(String... endings) {
        this.endings = endings;
    }

    private static Map<String, LoraPart> byEnding() {
        Map<String, LoraPart> parts = new LinkedHashMap<>();
        for (LoraPart part : values()) {
            for (String ending : part.endings) {
                parts.put(ending.startsWith("_") ? ending : "." + ending, part);
            }
        }
        return parts;
    }

    /**
     * A tensor's name taken apart.
     *
     * @param module as the file has it
     */
    record Name(String module, LoraPart part) {}

    /** @return {@code null} for a name that no such file has */
    static Name split(String tensor) {
        String longest = null;
        for (String ending : BY_ENDING.keySet()) {
            if (tensor.endsWith(ending) && tensor.length() > ending.length() && (longest == null || ending.length() > longest.length())) {
                longest = ending;
            }
        }
        return longest == null ? null : new Name(tensor.substring(0, tensor.length() - longest.length()), BY_ENDING.get(longest));
    }
}
