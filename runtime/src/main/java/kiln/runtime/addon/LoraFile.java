package kiln.runtime.addon;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.family.ModelSource;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * A file that changes a model's weights: LoRA and its relatives, module by module. Opening reads the index only. Reads are safe from any
 * thread. The creator closes it.
 */
public final class LoraFile implements AutoCloseable {
    /**
     * What is added to one weight.
     *
     * @param name as the file has it, every sign but letters and digits as {@code _}
     * @param parts its tensors
     */
    record Module(String name, LoraKind kind, Map<LoraPart, TensorInfo> parts) {
        /** The size of the inner dimension; 0 where there is none. */
        long rank() {
            for (LoraPart part : List.of(LoraPart.DOWN, LoraPart.HADA_W1_B, LoraPart.LOKR_W2_B, LoraPart.LOKR_W1_B, LoraPart.GLORA_A2)) {
                TensorInfo tensor = parts.get(part);
                if (tensor != null && tensor.rank() > 0) {
                    return part == LoraPart.GLORA_A2 ? Math.min(tensor.size(0), tensor.size(tensor.rank() - 1)) : tensor.size(0);
                }
            }
            return 0;
        }
    }

    /** In front of all names in some files of PEFT. */
    private static final String PEFT = "base_model.model.";
    /** Between attention and projection in old files of diffusers. */
    private static final String PROCESSOR = "_processor_";

    private final WeightsFile file;
    private final String key;
    private final Map<String, Module> modules = new LinkedHashMap<>();
    private final List<String> unknownKeys = new ArrayList<>();

    private LoraFile(WeightsFile file) {
        this.file = file;
        key = ModelSource.identityOf(file.path());
        Map<String, Map<LoraPart, TensorInfo>> parts = new LinkedHashMap<>();
        for (TensorInfo tensor : file.tensors()) {
            LoraPart.Name name = LoraPart.split(tensor.name());
            if (name == null) {
                unknownKeys.add(tensor.name());
            } else {
                parts.computeIfAbsent(plain(name.module()), module -> new EnumMap<>(LoraPart.class)).put(name.part(), tensor);
            }
        }
        parts.forEach((name, tensors) -> {
            Optional<LoraKind> kind = LoraKind.of(tensors.keySet());
            if (kind.isPresent()) {
                modules.put(name, new Module(name, kind.get(), Map.copyOf(tensors)));
            } else {
                tensors.values().forEach(tensor -> unknownKeys.add(tensor.name()));
            }
        });
    }

    private static String plain(String module) {
        String name = (module.startsWith(PEFT) ? module.substring(PEFT.length()) : module).replaceAll("[^A-Za-z0-9]", "_");
        return name.replace(PROCESSOR, "_");
    }

    /** @throws KilnException when the file is missing, unreadable or broken: one line with its name */
    public static LoraFile open(Path path) {
        try {
            return new LoraFile(WeightsFile.open(path));
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
    }

    public Path path() {
        return file.path();
    }

    /** What tells its contents from another file's: see {@link ModelSource#identityOf}. */
    public String key() {
        return key;
    }

    /** What whoever trained it left in the file: {@code ss_output_name}, {@code ss_tag_frequency} and many more. */
    public Map<String, String> metadata() {
        return file.metadata();
    }

    /** Tensors that say nothing to this program. */
    public List<String> unknownKeys() {
        return List.copyOf(unknownKeys);
    }

    Map<String, Module> modules() {
        return modules;
    }

    /** How many modules there are of each kind. */
    public Map<LoraKind, Integer> kinds() {
        Map<LoraKind, Integer> kinds = new EnumMap<>(LoraKind.class);
        modules.values().forEach(module -> kinds.merge(module.kind(), 1, Integer::sum));
        return kinds;
    }

    /** The largest of its modules' ranks; 0 where none has one. */
    public long rank() {
        return modules.values().stream().mapToLong(Module::rank).max().orElse(0);
    }

    /**
     * A module's tensors.
     *
     * @throws KilnException CORRUPT_FILE when one holds what is no number
     */
    Map<LoraPart, Values> read(Module module) {
        Map<LoraPart, Values> values = new EnumMap<>(LoraPart.class);
        module.parts().forEach((part, tensor) -> values.put(part, read(tensor)));
        return values;
    }

    private Values read(TensorInfo tensor) {
        float[] data;
        try {
            data = file.readF32(tensor.name());
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
        // The sum of finite numbers' products with zero is zero, and of others not a number: quicker than to look at each.
        float sum = 0;
        for (float value : data) {
            sum += value * 0;
        }
        if (sum != 0) {
            throw new KilnException(
                    Category.CORRUPT_FILE, path() + ": the tensor " + tensor.name() + " holds values that are no numbers: get the file again");
        }
        return new Values(tensor.shape().stream().mapToInt(Math::toIntExact).toArray(), data);
    }

    @Override
    public void close() {
        file.close();
    }
}
