package kiln.runtime.upscale;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.family.ModelSource;
import kiln.runtime.family.NamedWeights;
import kiln.runtime.graph.ModelException;
import kiln.weights.CheckpointKind;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * An upscaler's weights: the ESRGAN family's in all three ways to name them, and Real-ESRGAN's compact networks. Reads are safe from any
 * thread. The creator closes it.
 */
public final class UpscalerFile implements AutoCloseable {
    /** What training programs put the parameters into, the better first. */
    private static final List<String> WRAPPERS = List.of("params_ema.", "params.", "module.", "");

    private static final Pattern OLD_BLOCK = Pattern.compile("model\\.1\\.sub\\.(\\d+)\\.RDB([123])\\.conv([1-5])\\.0\\.(weight|bias)");
    private static final Pattern OLD_TRUNK = Pattern.compile("model\\.1\\.sub\\.\\d+\\.(weight|bias)");
    private static final Pattern OLD_LAYER = Pattern.compile("model\\.(\\d+)\\.(weight|bias)");
    private static final Pattern FIRST_BLOCK = Pattern.compile("RRDB_trunk\\.(\\d+)\\.RDB([123])\\.conv([1-5])\\.(weight|bias)");

    /** What the first ESRGAN called its other layers, and Real-ESRGAN's names. */
    private static final Map<String, String> FIRST_NAMES =
            Map.of("trunk_conv", "conv_body", "upconv1", "conv_up1", "upconv2", "conv_up2", "HRconv", "conv_hr");

    private final WeightsFile file;
    private final NamedWeights weights;
    private final UpscalerNetwork network;
    private final String key;

    private UpscalerFile(WeightsFile file, Path path) {
        this.file = file;
        key = ModelSource.of(path).key();
        CheckpointKind kind = CheckpointKind.of(file);
        if (kind != CheckpointKind.UNKNOWN && kind != CheckpointKind.UPSCALER) {
            throw unsupported("this is a file of the kind " + kind.displayName() + ", not an upscaler", null);
        }
        weights = new NamedWeights(file, places(file));
        try {
            network = UpscalerNetwork.of(weights::shape);
            network.graph().write(network.joined(), network.joined());
        } catch (ModelException e) {
            throw unsupported("no upscaler of the ESRGAN family or Real-ESRGAN's compact networks: " + e.getMessage(), e);
        }
    }

    private KilnException unsupported(String reason, ModelException cause) {
        return new KilnException(Category.UNSUPPORTED_MODEL, file.path() + ": " + reason, cause);
    }

    /** @throws KilnException when the file is missing, broken or no upscaler that is known: one line with its name */
    public static UpscalerFile open(Path path) {
        WeightsFile file;
        try {
            file = WeightsFile.open(path);
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
        try {
            return new UpscalerFile(file, path);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Map<String, NamedWeights.Place> places(WeightsFile file) {
        String wrapper = WRAPPERS.stream()
                .filter(prefix -> file.tensors().stream().anyMatch(tensor -> tensor.name().startsWith(prefix)))
                .findFirst()
                .orElse("");
        TreeSet<Integer> layers = new TreeSet<>();
        for (TensorInfo tensor : file.tensors()) {
            Matcher layer = OLD_LAYER.matcher(tensor.name());
            if (layer.matches()) {
                layers.add(Integer.valueOf(layer.group(1)));
            }
        }
        List<Integer> old = List.copyOf(layers);
        Map<String, NamedWeights.Place> places = new HashMap<>();
        for (TensorInfo tensor : file.tensors()) {
            if (tensor.name().startsWith(wrapper)) {
                String name = newName(tensor.name().substring(wrapper.length()), old);
                places.put(name, new NamedWeights.Place(tensor.name(), RrdbNet.factor(name)));
            }
        }
        return places;
    }

    /** @param layers numbers of the old network's layers outside of its blocks, ascending: the first, doublings, the last two */
    private static String newName(String name, List<Integer> layers) {
        for (Pattern pattern : List.of(OLD_BLOCK, FIRST_BLOCK)) {
            Matcher block = pattern.matcher(name);
            if (block.matches()) {
                return "body." + block.group(1) + ".rdb" + block.group(2) + ".conv" + block.group(3) + "." + block.group(4);
            }
        }
        Matcher trunk = OLD_TRUNK.matcher(name);
        if (trunk.matches()) {
            return "conv_body." + trunk.group(1);
        }
        Matcher layer = OLD_LAYER.matcher(name);
        if (layer.matches()) {
            return oldLayer(layers.indexOf(Integer.valueOf(layer.group(1))), layers.size()) + "." + layer.group(2);
        }
        int dot = name.indexOf('.');
        String first = dot < 0 ? null : FIRST_NAMES.get(name.substring(0, dot));
        return first == null ? name : first + name.substring(dot);
    }

    private static String oldLayer(int place, int count) {
        if (place == 0) {
            return "conv_first";
        }
        return switch (count - place) {
            case 1 -> "conv_last";
            case 2 -> "conv_hr";
            default -> "conv_up" + place;
        };
    }

    /** For people: "ESRGAN, 23 blocks". */
    public String kind() {
        return network.kind();
    }

    /** How many times larger sides become. */
    public int scale() {
        return network.scale();
    }

    /** What tells these weights from others, as {@link ModelSource#key} has it. */
    public String key() {
        return key;
    }

    /** Under Real-ESRGAN's names. */
    WeightSource weights() {
        return weights;
    }

    UpscalerNetwork network() {
        return network;
    }

    @Override
    public void close() {
        file.close();
    }
}
