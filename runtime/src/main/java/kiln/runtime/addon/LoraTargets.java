package kiln.runtime.addon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.weights.TensorInfo;

/**
 * Where files' modules belong in one model. Immutable.
 *
 * @param family of the model, for people
 * @param modules of {@link ModelFiles#modules}
 * @param shapes of the model's tensors, {@code null} where there is none
 */
public record LoraTargets(String family, Map<String, String> modules, Function<String, List<Integer>> shapes) {
    private static final int SHOWN = 3;

    public static LoraTargets of(ModelFiles files) {
        return new LoraTargets(files.familyName(), files.modules(), files::shape);
    }

    /**
     * What a file changes.
     *
     * @param changes by the tensor's original name
     * @param strangers modules and tensors that the model has no place for
     */
    record Placed(Map<String, WeightChange> changes, List<String> strangers) {
        /** For people; empty where everything has its place. */
        String notice(LoraFile file) {
            if (strangers.isEmpty()) {
                return "";
            }
            String names = strangers.stream().limit(SHOWN).collect(Collectors.joining(", "));
            return file.path().getFileName() + ": " + strangers.size() + " of its names mean nothing to this model and are left out: " + names
                    + (strangers.size() > SHOWN ? ", …" : "");
        }
    }

    /** Why a file is none for this model, as far as shapes tell; empty when it is one. */
    public Optional<String> misfit(LoraFile file) {
        try {
            place(file, new LoraUse(LoraCatalog.stem(file.path()), 1, 1, Integer.MAX_VALUE, BlockWeights.ALL));
            return Optional.empty();
        } catch (KilnException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** @throws KilnException UNSUPPORTED_MODEL when the file is none for this model */
    Placed place(LoraFile file, LoraUse use) {
        Map<String, WeightChange> changes = new LinkedHashMap<>();
        List<String> strangers = new ArrayList<>(file.unknownKeys());
        for (LoraFile.Module module : file.modules().values()) {
            String original = modules.get(module.name());
            if (original == null) {
                strangers.add(module.name());
                continue;
            }
            double multiplier = use.blocks().factor(original + ".") * (original.startsWith("cond_stage_model.") ? use.textEncoder() : use.denoiser());
            String weight = original + ".weight";
            if (module.kind().formula() != null && shapes.apply(weight) != null) {
                requireFit(file, module, shapes.apply(weight));
                changes.put(weight, new WeightChange(file, module, false, multiplier, use.ranks()));
            }
            String bias = original + ".bias";
            if ((module.parts().containsKey(LoraPart.DIFF_B) || module.parts().containsKey(LoraPart.B_NORM)) && shapes.apply(bias) != null) {
                changes.put(bias, new WeightChange(file, module, true, multiplier, use.ranks()));
            }
        }
        if (changes.isEmpty()) {
            throw misfit(file, file.modules().isEmpty()
                    ? "none of its " + file.unknownKeys().size() + " tensors is one of a LoRA"
                    : "none of its modules is in this model, such as " + file.modules().keySet().iterator().next());
        }
        changes.values().removeIf(change -> change.multiplier() == 0);
        return new Placed(changes, strangers);
    }

    /** Looks at shapes only, so that a file for another family is told before anything is computed. */
    private void requireFit(LoraFile file, LoraFile.Module module, List<Integer> shape) {
        TensorInfo up = module.parts().get(LoraPart.UP);
        TensorInfo down = module.parts().get(LoraPart.DOWN);
        if (module.kind() != LoraKind.LORA || module.parts().containsKey(LoraPart.MID)) {
            return;
        }
        long rows = up.rank() < 1 ? 1 : up.size(0);
        long columns = down.rank() < 1 || down.size(0) == 0 ? 0 : down.elements() / down.size(0);
        long wanted = shape.stream().skip(1).mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        boolean widened = shape.size() == 4 && shape.get(1) == 9 && columns * 9 == wanted * 4;
        if (rows != shape.get(0) || columns != wanted && !widened) {
            throw misfit(file, "module " + module.name() + " is made for " + rows + "×" + columns + " and the model has " + shape.get(0) + "×" + wanted);
        }
    }

    private KilnException misfit(LoraFile file, String reason) {
        String base = LoraBase.of(file).map(name -> "made for " + name + ", and ").orElse("");
        return new KilnException(Category.UNSUPPORTED_MODEL, file.path() + " does not fit this model (" + family + "): " + base + reason);
    }
}
