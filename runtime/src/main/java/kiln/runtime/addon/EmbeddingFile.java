package kiln.runtime.addon;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.weights.DType;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * A textual inversion (Gal et al. 2022): vectors that stand for a word. A1111's own files ({@code string_to_param}), diffusers' (one tensor), and
 * those with a part for each text encoder ({@code clip_l}, {@code clip_g}).
 *
 * @param name that prompts call it by: the file's without ending
 * @param parts one for each text encoder, usually one alone
 */
public record EmbeddingFile(Path path, String name, List<Part> parts) {
    /**
     * Vectors for one text encoder.
     *
     * @param tensor its name in the file
     */
    public record Part(String tensor, int vectors, int width) {}

    private static final String A1111 = "string_to_param.";
    private static final int MOST_VECTORS = 1 << 16;

    public EmbeddingFile {
        parts = List.copyOf(parts);
    }

    /** Reads the index only. @throws KilnException when the file is broken or none of these */
    public static EmbeddingFile open(Path path) {
        try (WeightsFile file = WeightsFile.open(path)) {
            List<TensorInfo> tensors = file.tensors().stream().filter(EmbeddingFile::isVectors).toList();
            List<TensorInfo> own = tensors.stream().filter(tensor -> tensor.name().startsWith(A1111)).toList();
            List<TensorInfo> chosen = own.isEmpty() ? tensors : own.subList(0, 1);
            boolean pair = chosen.size() == 2 && chosen.stream().allMatch(tensor -> tensor.name().startsWith("clip_"));
            if (chosen.size() != 1 && !pair) {
                throw new KilnException(
                        Category.UNSUPPORTED_MODEL,
                        path + " is no textual inversion: it holds " + file.tensors().size() + " tensors, and one is wanted");
            }
            List<Part> parts = new ArrayList<>();
            for (TensorInfo tensor : chosen) {
                int last = tensor.rank() - 1;
                parts.add(new Part(tensor.name(), last == 0 ? 1 : (int) tensor.size(0), (int) tensor.size(last)));
            }
            return new EmbeddingFile(path, LoraCatalog.stem(path), parts);
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
    }

    private static boolean isVectors(TensorInfo tensor) {
        boolean number = tensor.dtype() != DType.I64 && tensor.dtype().convertsToF32();
        return number && (tensor.rank() == 1 || tensor.rank() == 2) && tensor.elements() > 0
                && tensor.shape().stream().allMatch(size -> size <= MOST_VECTORS);
    }

    /** The part for an encoder of this width. */
    public Optional<Part> part(int width) {
        return parts.stream().filter(part -> part.width() == width).findFirst();
    }

    /**
     * A part's vectors, one behind the other.
     *
     * @throws KilnException also when one holds what is no number
     */
    float[] read(Part part) {
        float[] vectors;
        try (WeightsFile file = WeightsFile.open(path)) {
            vectors = file.readF32(part.tensor());
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
        for (float value : vectors) {
            if (!Float.isFinite(value)) {
                throw new KilnException(Category.CORRUPT_FILE, path + " holds values that are no numbers: get the file again");
            }
        }
        return vectors;
    }
}
