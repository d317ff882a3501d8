package kiln.runtime.addon;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kiln.runtime.addon.LoraFormulas.Formula;

/** How a module of a {@link LoraFile} says what is added to a weight, by the parts that it has; tried in this order, as A1111 does. */
public enum LoraKind {
    LORA("LoRA", LoraFormulas::lora, List.of(Set.of(LoraPart.UP, LoraPart.DOWN))),
    LOHA("LoHa", LoraFormulas::loha, List.of(Set.of(LoraPart.HADA_W1_A, LoraPart.HADA_W1_B, LoraPart.HADA_W2_A, LoraPart.HADA_W2_B))),
    IA3("IA3", LoraFormulas::ia3, List.of(Set.of(LoraPart.IA3_WEIGHT, LoraPart.IA3_ON_INPUT))),
    LOKR(
            "LoKr",
            LoraFormulas::lokr,
            List.of(Set.of(LoraPart.LOKR_W1, LoraPart.LOKR_W2),
            Set.of(LoraPart.LOKR_W1, LoraPart.LOKR_W2_A, LoraPart.LOKR_W2_B),
            Set.of(LoraPart.LOKR_W1_A, LoraPart.LOKR_W1_B, LoraPart.LOKR_W2),
            Set.of(LoraPart.LOKR_W1_A, LoraPart.LOKR_W1_B, LoraPart.LOKR_W2_A, LoraPart.LOKR_W2_B))),
    FULL("full", LoraFormulas::full, List.of(Set.of(LoraPart.DIFF))),
    NORM("norm", LoraFormulas::norm, List.of(Set.of(LoraPart.W_NORM))),
    GLORA("GLoRA", LoraFormulas::glora, List.of(Set.of(LoraPart.GLORA_A1, LoraPart.GLORA_A2, LoraPart.GLORA_B1, LoraPart.GLORA_B2))),
    OFT("OFT", OrthogonalFormulas::oft, List.of(Set.of(LoraPart.OFT_BLOCKS), Set.of(LoraPart.OFT_DIAG))),
    /** Biases alone. */
    BIAS("bias", null, List.of(Set.of(LoraPart.DIFF_B), Set.of(LoraPart.B_NORM)));

    private final String label;
    private final Formula formula;
    private final List<Set<LoraPart>> parts;

    LoraKind(String label, Formula formula, List<Set<LoraPart>> parts) {
        this.label = label;
        this.formula = formula;
        this.parts = parts;
    }

    /** For people. */
    public String label() {
        return label;
    }

    /** {@code null} where there is nothing for the weight itself. */
    Formula formula() {
        return formula;
    }

    static Optional<LoraKind> of(Set<LoraPart> parts) {
        return Arrays.stream(values()).filter(kind -> kind.parts.stream().anyMatch(parts::containsAll)).findFirst();
    }
}
