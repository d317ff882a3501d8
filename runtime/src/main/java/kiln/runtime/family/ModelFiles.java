package kiln.runtime.family;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.ModelException;
import kiln.runtime.model.Model;
import kiln.runtime.model.ModelDefaults;
import kiln.runtime.model.ModelFamily;
import kiln.runtime.model.TensorRows;
import kiln.weights.CheckpointKind;
import kiln.weights.DType;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;
import kiln.weights.map.MemoryRegion;

/**
 * The weights of one model: a checkpoint, and files whose tensors take the place of its own, under the names of the original code whatever
 * the files call them. Reads are safe from any thread. The creator closes it.
 */
public final class ModelFiles implements WeightSource, AutoCloseable {
    private final List<WeightsFile> files = new ArrayList<>();
    private final Map<String, Place> places = new HashMap<>();
    private final CheckpointKind kind;
    private final ModelFamily family;
    private final String key;

    private record Place(WeightsFile file, TensorRows rows) {
        boolean holdsHalves() {
            // Larger ones do not fit a buffer.
            return rows.tensor().dtype() == DType.F16
                    && rows.tensor().bytes() <= MemoryRegion.PIECE_BYTES
                    && file.isInPlace(rows.tensor().name());
        }
    }

    private ModelFiles(List<Path> paths, List<ModelFamily> families) {
        try {
            for (Path path : paths) {
                files.add(WeightsFile.open(path));
            }
            kind = CheckpointKind.of(files.get(0));
            family = Families.of(kind, families);
            for (WeightsFile file : files) {
                family.names().apply(file.tensors()).forEach((name, rows) -> places.put(name, new Place(file, rows)));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        key = keyOf(paths);
    }

    /**
     * A checkpoint that stands alone.
     *
     * @throws KilnException when the file is missing, unreadable or broken: one line with its name
     */
    public static ModelFiles open(Path checkpoint) {
        return open(List.of(checkpoint));
    }

    /**
     * @param paths the checkpoint, then files of the same family whose tensors are used instead of its own: an autoencoder, say
     * @throws KilnException when a file is missing, unreadable or broken: one line with its name
     */
    public static ModelFiles open(List<Path> paths) {
        return open(paths, Families.ALL);
    }

    /** @param families to choose from */
    public static ModelFiles open(List<Path> paths, List<ModelFamily> families) {
        try {
            return new ModelFiles(paths, families);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    /** What tells these weights from others, without reading them: a file that was replaced has another key. */
    public static String keyOf(List<Path> paths) {
        StringBuilder key = new StringBuilder();
        paths.forEach(path -> key.append(identityOf(path)).append('\n'));
        return key.toString();
    }

    private static String identityOf(Path path) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return path.toAbsolutePath().normalize() + " " + attributes.size() + " " + attributes.lastModifiedTime() + " " + attributes.fileKey();
        } catch (IOException e) {
            // What is wrong with it is told when it is opened.
            return path.toAbsolutePath().normalize().toString();
        }
    }

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
            return family.writer().apply(this::shape);
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

    /** Of the checkpoint. */
    public Path path() {
        return files.get(0).path();
    }

    /** Of the checkpoint. */
    public Map<String, String> metadata() {
        return files.get(0).metadata();
    }

    /** What the checkpoint itself says about its use. */
    public ModelDefaults defaults() {
        return ModelDefaults.of(metadata());
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
                place.file().readF32(place.rows().tensor(), target);
            } else {
                FloatBuffer part = target.slice(target.position(), Math.toIntExact(place.rows().elements()));
                place.file().readF32Range(place.rows().tensor().name(), place.rows().firstElement(), part);
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
            place.file().readF32Range(place.rows().tensor().name(), place.rows().firstElement() + begin, target);
        } catch (WeightsException e) {
            throw failure(e);
        }
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
            place.file().lend(rows.tensor().name(), bytes -> {
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
