package kiln.runtime.model;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.ModelException;
import kiln.weights.CheckpointKind;
import kiln.weights.DType;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;
import kiln.weights.map.MemoryRegion;

/**
 * A checkpoint's tensors under the names of the original Stable Diffusion code, whatever the file calls them. Reads are safe from any
 * thread. The creator closes it.
 */
public final class CheckpointFile implements WeightSource, AutoCloseable {
    private static final String TEXT = "cond_stage_model.transformer.";
    private static final String TEXT_MODEL = ClipText.PREFIX;

    private final WeightsFile file;
    /** Name in the original code → tensor. */
    private final Map<String, TensorInfo> tensors = new HashMap<>();

    private CheckpointFile(WeightsFile file) {
        this.file = file;
        for (TensorInfo tensor : file.tensors()) {
            tensors.put(originalName(tensor.name()), tensor);
        }
    }

    /**
     * @throws KilnException when the file is missing, unreadable or broken: one line with its name
     */
    public static CheckpointFile open(Path path) {
        try {
            return new CheckpointFile(WeightsFile.open(path));
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    /** Some programs left {@code text_model.} out of the text encoder's names. */
    private static String originalName(String name) {
        if (name.startsWith(TEXT) && !name.startsWith(TEXT_MODEL)) {
            String rest = name.substring(TEXT.length());
            if (rest.startsWith("embeddings.") || rest.startsWith("encoder.") || rest.startsWith("final_layer_norm.")) {
                return TEXT_MODEL + rest;
            }
        }
        return name;
    }

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
     * The sizes of the networks in it.
     *
     * @throws KilnException when it is no Stable Diffusion 1.x checkpoint: says what it is instead, as far as its tensors tell
     */
    public Checkpoint sizes() {
        CheckpointKind kind = CheckpointKind.of(file);
        boolean drawable = kind == CheckpointKind.SD1 || kind == CheckpointKind.SD1_INPAINTING;
        if (!drawable && kind != CheckpointKind.UNKNOWN) {
            throw unsupported("this is a file of the kind " + kind.displayName() + ", and only SD 1.x checkpoints can draw", null);
        }
        try {
            return Checkpoint.infer(this::shape);
        } catch (ModelException e) {
            throw unsupported(e.getMessage(), e);
        }
    }

    private KilnException unsupported(String reason, ModelException cause) {
        return new KilnException(Category.UNSUPPORTED_MODEL, path() + ": " + reason, cause);
    }

    public Path path() {
        return file.path();
    }

    public Map<String, String> metadata() {
        return file.metadata();
    }

    @Override
    public List<Integer> shape(String tensor) {
        TensorInfo info = tensors.get(tensor);
        if (info == null) {
            return null;
        }
        List<Integer> shape = new ArrayList<>();
        for (long size : info.shape()) {
            shape.add((int) Math.min(size, Integer.MAX_VALUE));
        }
        return shape;
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        try {
            file.readF32(tensors.get(tensor), target);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        try {
            file.readF32Range(tensors.get(tensor).name(), begin, target);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    @Override
    public boolean hasHalves(String tensor) {
        TensorInfo info = tensors.get(tensor);
        // Larger ones do not fit a buffer.
        return info != null && info.dtype() == DType.F16 && info.bytes() <= MemoryRegion.PIECE_BYTES && file.isInPlace(info.name());
    }

    @Override
    public void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
        if (!hasHalves(tensor)) {
            WeightSource.super.lendHalves(tensor, reader);
        }
        try {
            file.lend(tensors.get(tensor).name(), reader);
        } catch (WeightsException e) {
            throw failure(e);
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
