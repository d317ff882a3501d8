package kiln.runtime.family;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import kiln.runtime.model.UNet;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;

/**
 * A file's tensors under the names of the original code, as far as these follow from how programs keep models in general; what is a family's own
 * is the family's to mend.
 *
 * @param stored as the file calls them
 */
record NamedTensors(WeightsFile file, Map<String, TensorInfo> stored) {
    /** @param useEma whether the denoiser's averaged weights are wanted, not the last ones; where there are only these, they are taken */
    static NamedTensors of(WeightsFile file, boolean useEma) {
        Collection<TensorInfo> tensors = file.tensors();
        if (DiffusersNames.isAutoencoder(tensors)) {
            return new NamedTensors(file, DiffusersNames.autoencoder(tensors));
        }
        Map<String, TensorInfo> named = asTheyAre(tensors);
        boolean isAlone = named.keySet().stream().noneMatch(name -> name.startsWith(UNet.PREFIX));
        if (EmaNames.isHere(tensors) && (useEma || isAlone)) {
            named.putAll(EmaNames.unet(tensors));
        }
        return new NamedTensors(file, named);
    }

    private static Map<String, TensorInfo> asTheyAre(Collection<TensorInfo> tensors) {
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        tensors.forEach(tensor -> named.put(tensor.name(), tensor));
        return named;
    }

    /** The tensors as they are called here. */
    Collection<TensorInfo> renamed() {
        return stored.entrySet().stream()
                .map(entry -> new TensorInfo(entry.getKey(), entry.getValue().dtype(), entry.getValue().shape()))
                .toList();
    }
}
