package kiln.runtime.merge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.merge.MergeRecipe.Method;
import kiln.runtime.merge.MergedTensor.Columns;
import kiln.runtime.merge.MergedTensor.Source;
import kiln.weights.DType;
import kiln.weights.TensorInfo;

/**
 * What becomes of each of A's tensors, by A1111's rules: those whose names hold "model" are merged where B has them, floats alone, token positions
 * never; where B's has three of A's shape's sizes but 4 input channels to A's 9 or 8, the first four are merged. What B does not have stays.
 *
 * @param tensors in A's order
 * @param inputChannels of A where they are more than B's, else 0: 9 for an inpainting model, 8 for an instruct-pix2pix one
 */
record MergePlan(List<MergedTensor> tensors, long inputChannels) {
    private static final String POSITIONS = "cond_stage_model.transformer.text_model.embeddings.position_ids";
    private static final Set<DType> FLOATS = Set.of(
            DType.F16, DType.BF16, DType.F32, DType.F64, DType.F8_E4M3, DType.F8_E5M2, DType.F8_E4M3FNUZ, DType.F8_E5M2FNUZ);

    /** @param b may be {@code null}, as {@code c} and {@code vae} */
    static MergePlan of(MergeRecipe recipe, MergeInput a, MergeInput b, MergeInput c, MergeInput vae) {
        List<MergedTensor> tensors = new ArrayList<>();
        long inputChannels = 0;
        int merged = 0;
        for (Map.Entry<String, Source> entry : a.tensors().entrySet()) {
            String name = entry.getKey();
            if (recipe.discard() != null && recipe.discard().matcher(name).find()) {
                continue;
            }
            Source other = b == null ? null : b.tensors().get(name);
            Source baked = vae == null ? null : vae.tensors().get(name);
            if (baked != null) {
                requireFit(name, entry.getValue(), baked, a, vae);
                tensors.add(copied(name, baked, recipe));
            } else if (other == null || !name.contains("model") || name.equals(POSITIONS) || !isFloat(entry.getValue()) || !isFloat(other)) {
                tensors.add(copied(name, entry.getValue(), recipe));
            } else {
                Source subtracted = c == null ? null : c.tensors().get(name);
                Columns columns = columns(name, entry.getValue(), other, a, b);
                inputChannels = columns == null ? inputChannels : entry.getValue().info().size(1);
                if (subtracted != null) {
                    requireFit(name, other, subtracted, b, c);
                }
                boolean isAlone = c != null && subtracted == null;
                tensors.add(isAlone
                        ? copied(name, entry.getValue(), recipe)
                        : merged(name, entry.getValue(), other, subtracted, recipe, columns));
                merged++;
            }
        }
        if (recipe.method() != Method.NONE && merged == 0) {
            throw new KilnException(Category.UNSUPPORTED_MODEL, b.path() + ": it has no tensor of " + a.path() + ": there is nothing to merge");
        }
        if (tensors.isEmpty()) {
            throw KilnException.badRequest("\"" + recipe.discard() + "\" is found in every tensor's name: nothing would be left");
        }
        return new MergePlan(tensors, inputChannels);
    }

    private static boolean isFloat(Source source) {
        return FLOATS.contains(source.info().dtype());
    }

    private static MergedTensor copied(String name, Source source, MergeRecipe recipe) {
        TensorInfo info = source.info();
        DType dtype = isFloat(source) ? recipe.format().of(info.dtype(), false) : info.dtype();
        return MergedTensor.copied(new TensorInfo(name, dtype, info.shape()), source);
    }

    private static MergedTensor merged(String name, Source a, Source b, Source c, MergeRecipe recipe, Columns columns) {
        double multiplier = recipe.blocks() == null ? recipe.multiplier() : recipe.blocks().of(name, recipe.multiplier());
        double aFactor = recipe.method() == Method.WEIGHTED_SUM ? 1 - multiplier : 1;
        TensorInfo info = new TensorInfo(name, recipe.format().of(a.info().dtype(), true), a.info().shape());
        return new MergedTensor(info, a, aFactor, b, c, multiplier, columns);
    }

    private static void requireFit(String name, Source a, Source b, MergeInput fileOfA, MergeInput fileOfB) {
        if (!a.info().shape().equals(b.info().shape()) || isFloat(a) != isFloat(b)) {
            throw new KilnException(Category.UNSUPPORTED_MODEL, fileOfB.path() + ": its tensor " + name + " is " + b.info().dtype() + " "
                    + b.info().shape() + ", that of " + fileOfA.path() + " " + a.info().dtype() + " " + a.info().shape());
        }
    }

    private static Columns columns(String name, Source a, Source b, MergeInput fileOfA, MergeInput fileOfB) {
        List<Long> wide = a.info().shape();
        List<Long> narrow = b.info().shape();
        boolean areAlike = wide.size() == 4 && narrow.size() == 4 && wide.get(0).equals(narrow.get(0))
                && wide.subList(2, 4).equals(narrow.subList(2, 4));
        if (areAlike && narrow.get(1) == 4 && (wide.get(1) == 9 || wide.get(1) == 8)) {
            long kernel = wide.get(2) * wide.get(3);
            return new Columns(Math.toIntExact(wide.get(1) * kernel), Math.toIntExact(narrow.get(1) * kernel));
        }
        if (areAlike && wide.get(1) == 4 && (narrow.get(1) == 9 || narrow.get(1) == 8)) {
            throw KilnException.badRequest(fileOfB.path() + " is " + (narrow.get(1) == 9 ? "an inpainting" : "an instruct-pix2pix")
                    + " model and " + fileOfA.path() + " is none: give it first, as A");
        }
        requireFit(name, a, b, fileOfA, fileOfB);
        return null;
    }
}
