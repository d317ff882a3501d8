package kiln.runtime.family;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.ModelException;
import kiln.runtime.model.Autoencoder;
import kiln.runtime.model.ClipText;
import kiln.runtime.model.Model;
import kiln.runtime.model.ModelDefaults;
import kiln.runtime.model.ModelFamily;
import kiln.runtime.model.TensorRows;
import kiln.weights.CheckpointKind;
import kiln.weights.DType;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;
import kiln.weights.map.MemoryRegion;

/**
 * The weights of one model under the names of the original code, whatever the files call them: a checkpoint or a diffusers folder, and an
 * autoencoder's file that takes the place of its own. Reads are safe from any thread. The creator closes it.
 */
public final class ModelFiles implements WeightSource, AutoCloseable {
    private static final String TEXT = "cond_stage_model.transformer.";

    private final ModelSource source;
    private final String key;
    private final List<WeightsFile> files = new ArrayList<>();
    private final Map<String, Place> places = new HashMap<>();
    private final CheckpointKind kind;
    private final ModelFamily family;
    private final ModelConfig config;

    /** @param tensor as the file calls it */
    private record Place(WeightsFile file, String tensor, TensorRows rows) {
        boolean holdsHalves() {
            // Larger ones do not fit a buffer.
            return rows.tensor().dtype() == DType.F16
                    && rows.tensor().bytes() <= MemoryRegion.PIECE_BYTES
                    && file.isInPlace(tensor);
        }
    }

    private ModelFiles(ModelSource source, List<ModelFamily> families) {
        this.source = source;
        key = source.key();
        try {
            if (DiffusersFolder.is(source.checkpoint())) {
                DiffusersFolder folder = DiffusersFolder.of(source.checkpoint());
                config = folder.config();
                List<NamedTensors> networks = new ArrayList<>(open(folder.unet(), DiffusersNames::unet));
                networks.addAll(open(folder.vae(), DiffusersNames::autoencoder));
                // The text encoder's names are those of SD 1.x whatever it is: the denoiser tells which it must be.
                kind = CheckpointKind.of(networks.stream().flatMap(part -> part.renamed().stream()).toList());
                family = Families.of(kind, families);
                networks.addAll(open(folder.textEncoder(), tensors -> prefixed(TEXT, tensors)));
                networks.forEach(this::place);
            } else {
                WeightsFile file = openFile(source.checkpoint());
                kind = CheckpointKind.of(NamedTensors.of(file, false).renamed());
                family = Families.of(kind, families);
                config = config(source, kind);
                place(NamedTensors.of(file, config.useEma()));
            }
            if (source.vae() != null) {
                replaceAutoencoder(source.vae());
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static ModelConfig config(ModelSource source, CheckpointKind kind) {
        if (source.ownConfig() != null) {
            return ModelConfig.read(source.ownConfig());
        }
        // As in A1111, which takes it where nothing in the file asks for another one.
        return source.config() != null && kind == CheckpointKind.SD1 ? ModelConfig.read(source.config()) : ModelConfig.NONE;
    }

    private WeightsFile openFile(Path path) {
        WeightsFile file = WeightsFile.open(path);
        files.add(file);
        return file;
    }

    /** Pieces of one part, whose names only all of them together tell. */
    private List<NamedTensors> open(List<Path> paths, Function<Collection<TensorInfo>, Map<String, TensorInfo>> names) {
        List<WeightsFile> pieces = paths.stream().map(this::openFile).toList();
        Map<String, TensorInfo> all = names.apply(pieces.stream().flatMap(piece -> piece.tensors().stream()).toList());
        List<NamedTensors> parts = new ArrayList<>();
        for (WeightsFile piece : pieces) {
            Map<String, TensorInfo> own = new HashMap<>(all);
            own.values().removeIf(tensor -> !piece.tensor(tensor.name()).map(tensor::equals).orElse(false));
            parts.add(new NamedTensors(piece, own));
        }
        return parts;
    }

    private static Map<String, TensorInfo> prefixed(String prefix, Collection<TensorInfo> tensors) {
        Map<String, TensorInfo> named = new HashMap<>();
        tensors.forEach(tensor -> named.put(prefix + tensor.name(), tensor));
        return named;
    }

    private void place(NamedTensors tensors) {
        family.names().apply(tensors.renamed()).forEach((name, rows) -> {
            String stored = tensors.stored().get(rows.tensor().name()).name();
            places.put(name, new Place(tensors.file(), stored, rows));
        });
    }

    /** Nothing of the old one stays: tensors that only it has would be taken for the new one's. */
    private void replaceAutoencoder(Path vae) {
        Map<String, Place> others = new HashMap<>(places);
        others.keySet().removeIf(name -> name.startsWith(Autoencoder.PREFIX));
        places.clear();
        place(NamedTensors.of(openFile(vae), false));
        places.keySet().removeIf(name -> !name.startsWith(Autoencoder.PREFIX));
        if (!places.containsKey(Autoencoder.PREFIX + "decoder.conv_in.weight")) {
            throw new KilnException(Category.UNSUPPORTED_MODEL, vae + ": no VAE: it has no tensor decoder.conv_in.weight");
        }
        places.putAll(others);
    }

    /**
     * A checkpoint that stands alone.
     *
     * @throws KilnException when the file is missing, unreadable or broken: one line with its name
     */
    public static ModelFiles open(Path checkpoint) {
        return open(ModelSource.of(checkpoint));
    }

    /** @throws KilnException when a file is missing, unreadable or broken: one line with its name */
    public static ModelFiles open(ModelSource source) {
        return open(source, Families.ALL);
    }

    /** @param families to choose from */
    public static ModelFiles open(ModelSource source, List<ModelFamily> families) {
        try {
            return new ModelFiles(source, families);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    /** As {@link ModelSource#key} was when the files were opened. */
    public String key() {
        return key;
    }

    /** A failure to read weights as a person is told. */
    public static KilnException failure(WeightsException e) {
        Category category = switch (e.kind()) {
            case CORRUPT -> Category.CORRUPT_FILE;
            case UNSUPPORTED -> Category.UNSUPPORTED_MODEL;
            case NOT_FOUND -> Category.NOT_FOUND;
            case IO -> Category.STORAGE;
            default -> Category.INTERNAL;
        };
        return new KilnException(category, e.getMessage(), e);
    }

    /**
     * The model in the files.
     *
     * @throws KilnException UNSUPPORTED_MODEL when they hold none that can draw: says what they are instead, as far as their tensors tell
     */
    public Model model() {
        if (!family.kinds().contains(kind) && kind != CheckpointKind.UNKNOWN) {
            throw unsupported("this is a file of the kind " + kind.displayName() + ", and only " + Families.names() + " checkpoints can draw", null);
        }
        try {
            return config.applyTo(family.writer().apply(this::shape));
        } catch (ModelException e) {
            throw unsupported(e.getMessage(), e);
        }
    }

    private KilnException unsupported(String reason, ModelException cause) {
        return new KilnException(Category.UNSUPPORTED_MODEL, path() + ": " + reason, cause);
    }

    /** The modules that files added to the model name: see {@link ModelFamily#modules}. */
    public Map<String, String> modules() {
        return family.modules().apply(places.keySet());
    }

    /** Of the family, for people. */
    public String familyName() {
        return family.name();
    }

    /** What the checkpoint is, judged by its tensors. */
    public CheckpointKind kind() {
        return kind;
    }

    /** Of the checkpoint. */
    public Path path() {
        return source.checkpoint();
    }

    /** What the files beside the weights say and is not heeded, for people: a line each. */
    public List<String> notes() {
        return config.notes();
    }

    /** Of the checkpoint. */
    public Map<String, String> metadata() {
        return files.get(0).metadata();
    }

    /** What the checkpoint itself, or a file beside it, says about its use. */
    public ModelDefaults defaults() {
        ModelDefaults defaults = ModelDefaults.of(metadata());
        int clipSkip = config.clipSkip(textLayers());
        return clipSkip > 1 ? defaults.withClipSkip(clipSkip) : defaults;
    }

    private int textLayers() {
        int layers = 0;
        while (places.containsKey(ClipText.PREFIX + "encoder.layers." + layers + ".mlp.fc1.weight")) {
            layers++;
        }
        return layers;
    }

    @Override
    public List<Integer> shape(String tensor) {
        Place place = places.get(tensor);
        return place == null ? null : place.rows().shape();
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        Place place = places.get(tensor);
        try {
            if (place.rows().isAll()) {
                place.file().readF32(place.file().tensor(place.tensor()).orElseThrow(), target);
            } else {
                FloatBuffer part = target.slice(target.position(), Math.toIntExact(place.rows().elements()));
                place.file().readF32Range(place.tensor(), place.rows().firstElement(), part);
                target.position(target.position() + part.position());
            }
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        Place place = places.get(tensor);
        try {
            place.file().readF32Range(place.tensor(), place.rows().firstElement() + begin, target);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    /** Whether a tensor's elements take two bytes or fewer in its file. */
    public boolean isShort(String tensor) {
        return places.get(tensor).rows().tensor().dtype().bytes() <= Short.BYTES;
    }

    @Override
    public boolean hasHalves(String tensor) {
        Place place = places.get(tensor);
        return place != null && place.holdsHalves();
    }

    @Override
    public void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
        if (!hasHalves(tensor)) {
            WeightSource.super.lendHalves(tensor, reader);
        }
        Place place = places.get(tensor);
        TensorRows rows = place.rows();
        try {
            place.file().lend(place.tensor(), bytes -> {
                int first = Math.toIntExact(rows.firstElement() * Short.BYTES);
                int length = Math.toIntExact(rows.elements() * Short.BYTES);
                reader.accept(rows.isAll() ? bytes : bytes.slice(bytes.position() + first, length).order(bytes.order()));
            });
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    @Override
    public void close() {
        files.forEach(WeightsFile::close);
    }
}
