package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.attention.Attention;
import kiln.kernels.op.attention.AttentionScores;
import kiln.kernels.op.attention.AttentionValues;
import kiln.kernels.op.attention.TensorAttention;
import kiln.kernels.op.attention.WideTensorAttention;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.op.element.Embedding;
import kiln.kernels.op.element.TimestepEmbedding;
import kiln.kernels.op.element.UpsampleNearest;
import kiln.kernels.op.norm.GroupNormApply;
import kiln.kernels.op.norm.GroupNormScale;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.norm.LayerNorm;
import kiln.kernels.op.norm.Softmax;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.SplitSum;
import kiln.kernels.op.product.Tile;

/**
 * The variants that the networks use: what is checked, dumped and listed. Other sizes and epilogues are emitted by the same code when a
 * network asks for them.
 */
public final class KernelLibrary {
    /** Demo model, SD 1.x at its four levels, SD 2.x and XL's 64, and what lies between. */
    private static final int[] HEAD_SIZES = {8, 32, 40, 64, 80, 128, 160};

    private static final Epilogue RESIDUAL = Epilogue.biasThen(Epilogue.Step.ADD);

    /** A residual block's first convolution: the timestep's embedding is added. */
    private static final Epilogue PER_CHANNEL = Epilogue.biasThen(Epilogue.Step.ADD_PER_CHANNEL);

    /** Where a group normalisation reads the map: a first convolution, and a block's end. */
    private static final Epilogue PER_CHANNEL_STATISTICS = Epilogue.biasThen(Epilogue.Step.ADD_PER_CHANNEL, Epilogue.Step.STATISTICS);

    private static final Epilogue RESIDUAL_STATISTICS = Epilogue.biasThen(Epilogue.Step.ADD, Epilogue.Step.STATISTICS);

    /** The end of a doubling. */
    private static final Epilogue BIAS_STATISTICS = Epilogue.biasThen(Epilogue.Step.STATISTICS);

    private static final List<Epilogue> LAYERS = List.of(Epilogue.BIAS, Epilogue.biasGeglu(), RESIDUAL);

    /** Every step at once, in an order that no network has. */
    private static final Epilogue ALL_STEPS = Epilogue.biasThen(
            Epilogue.Step.ADD_PER_CHANNEL,
            Epilogue.Step.SILU,
            Epilogue.Step.ADD,
            Epilogue.Step.GELU,
            Epilogue.Step.ADD,
            Epilogue.Step.QUICK_GELU);

    private KernelLibrary() {}

    public static List<Kernel> all() {
        List<Kernel> all = new ArrayList<>();
        for (DataType type : DataType.FLOATS) {
            for (int width : new int[] {1, 4}) {
                addElementwise(all, type, width);
            }
            all.add(new Embedding(type));
            all.add(new TimestepEmbedding(type));
            all.add(new GroupNormScale(type));
            addProducts(all, type);
            addByteProducts(all, type);
            addSplitProducts(all, type, Tile.MEDIUM);
            addSplitSums(all, type);
            addEpilogues(all, type);
            addNormalizing(all, type);
            addDoubling(all, type, Tile.MEDIUM, Tile.LARGE);
            addAttention(all, type);
        }
        addUpcastProducts(all);
        for (Arithmetic arithmetic : List.of(Arithmetic.MMA8, Arithmetic.MMA16)) {
            addTensorProducts(all, arithmetic);
            addTensorNormalizing(all, arithmetic);
            addPatchProducts(all, arithmetic);
            addDoubling(all, DataType.F16, Tile.mediumTensor(arithmetic), Tile.largeTensor(arithmetic));
            all.add(doubling(DataType.F16, DataType.F16, Tile.tallestTensor(arithmetic), BIAS_STATISTICS, false));
            addTensorAttention(all, arithmetic);
        }
        return List.copyOf(all);
    }

    private static void addElementwise(List<Kernel> all, DataType type, int width) {
        for (Elementwise.Function function : Elementwise.Function.values()) {
            all.add(new Elementwise(function, type, width));
        }
        for (DataType to : DataType.FLOATS) {
            all.add(new CopyRows(type, to, width));
        }
        all.add(new UpsampleNearest(type, width));
        all.add(new LayerNorm(type, width));
        all.add(new Softmax(type, width));
        all.add(new GroupNormStatistics(type, width));
        all.add(new GroupNormApply(type, width, false));
        all.add(new GroupNormApply(type, width, true));
    }

    private static void addProducts(List<Kernel> all, DataType type) {
        for (boolean vector : new boolean[] {false, true}) {
            // Sizes that do not allow vectors are rare and small.
            Tile tile = vector ? Tile.MEDIUM : Tile.SMALL;
            all.add(new MatrixMultiply(type, tile, vector, Epilogue.NONE));
            all.add(new MatrixMultiply(type, tile, vector, ALL_STEPS));
            LAYERS.forEach(epilogue -> all.add(new MatrixMultiply(type, tile, vector, epilogue)));
            addConvolutions(all, type, tile, vector);
        }
        all.add(new MatrixMultiply(type, Tile.SMALL, true, Epilogue.BIAS));
        all.add(new MatrixMultiply(type, Tile.MEDIUM, true, RESIDUAL_STATISTICS));
        all.add(new Convolution(type, Tile.SMALL, true, PER_CHANNEL_STATISTICS, Convolution.Window.SAME));
        if (type == DataType.F16) {
            List.of(Tile.LARGE, Tile.TALL, Tile.WIDE)
                    .forEach(tile -> all.add(new Convolution(type, tile, true, RESIDUAL_STATISTICS, Convolution.Window.SAME)));
            LAYERS.forEach(epilogue -> all.add(new MatrixMultiply(type, Tile.LARGE, true, epilogue)));
            all.add(new Convolution(type, Tile.LARGE, true, Epilogue.BIAS, Convolution.Window.SAME));
            all.add(new Convolution(type, Tile.LARGE, true, PER_CHANNEL, Convolution.Window.SAME));
            all.add(new Convolution(type, Tile.LARGE, true, RESIDUAL, Convolution.Window.SAME));
        }
    }

    /** 32-bit tensors with 16-bit weights: what runs anew after an overflow. */
    private static void addUpcastProducts(List<Kernel> all) {
        all.add(new MatrixMultiply(DataType.F32, DataType.F16, Tile.SMALL, false, Epilogue.BIAS));
        all.add(new MatrixMultiply(DataType.F32, DataType.F16, Tile.MEDIUM, true, Epilogue.biasGeglu()));
        all.add(new MatrixMultiply(DataType.F32, DataType.F16, Tile.LARGE, true, RESIDUAL));
        all.add(new Convolution(DataType.F32, DataType.F16, Tile.SMALL, false, Epilogue.BIAS, Convolution.Window.SAME));
        all.add(new Convolution(DataType.F32, DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, Convolution.Window.DOUBLED));
        all.add(new Convolution(DataType.F32, DataType.F16, Tile.LARGE, true, PER_CHANNEL, Convolution.Window.SAME));
    }

    /** Weights as bytes, for the linear layers and convolutions that a small card keeps that way. */
    private static void addByteProducts(List<Kernel> all, DataType type) {
        all.add(new MatrixMultiply(type, DataType.I8, Tile.SMALL, false, Epilogue.BIAS));
        all.add(new MatrixMultiply(type, DataType.I8, Tile.MEDIUM, true, Epilogue.NONE));
        all.add(new Convolution(type, DataType.I8, Tile.SMALL, false, Epilogue.BIAS, Convolution.Window.SAME));
        all.add(new Convolution(type, DataType.I8, Tile.MEDIUM, true, PER_CHANNEL, Convolution.Window.SAME));
        if (type == DataType.F16) {
            all.add(new MatrixMultiply(type, DataType.I8, Tile.SMALL, true, Epilogue.BIAS));
            addByteLayers(all, Tile.MEDIUM, Tile.LARGE);
            addBetween(all, Tile.TALL, Tile.WIDE);
        }
    }

    /** What small maps with long sums take. */
    private static void addSplitProducts(List<Kernel> all, DataType type, Tile tile) {
        all.add(new MatrixMultiply(type, type, tile, true, Epilogue.NONE, true));
        all.add(new Convolution(type, type, tile, true, Epilogue.NONE, Convolution.Window.SAME, true));
        if (type == DataType.F16) {
            all.add(new Convolution(type, DataType.I8, tile, true, Epilogue.NONE, Convolution.Window.SAME, true));
        }
    }

    private static void addSplitSums(List<Kernel> all, DataType type) {
        all.add(new SplitSum(type, false, 4, PER_CHANNEL));
        all.add(new SplitSum(type, true, 4, RESIDUAL));
        all.add(new SplitSum(type, false, 4, Epilogue.biasGeglu()));
        all.add(new SplitSum(type, true, 2, Epilogue.biasGeglu()));
        all.add(new SplitSum(type, false, 1, Epilogue.BIAS));
        all.add(new SplitSum(type, false, 4, PER_CHANNEL_STATISTICS));
        all.add(new SplitSum(type, true, 4, RESIDUAL_STATISTICS));
    }

    /** What follows a product of cuBLAS or cuDNN. */
    private static void addEpilogues(List<Kernel> all, DataType type) {
        LAYERS.forEach(epilogue -> all.add(new ApplyEpilogue(type, 4, epilogue)));
        all.add(new ApplyEpilogue(type, 4, PER_CHANNEL));
        all.add(new ApplyEpilogue(type, 2, Epilogue.biasGeglu()));
        all.add(new ApplyEpilogue(type, 1, ALL_STEPS));
    }

    /** Products of a map that group normalisation's last part is done to on its way. */
    private static void addNormalizing(List<Kernel> all, DataType type) {
        all.add(new MatrixMultiply(type, type, Tile.SMALL, false, Epilogue.BIAS, false, OnLoad.AFFINE_SILU));
        all.add(new MatrixMultiply(type, type, Tile.LARGE, true, Epilogue.BIAS, false, OnLoad.AFFINE));
        all.add(new MatrixMultiply(type, type, Tile.MEDIUM, true, Epilogue.NONE, true, OnLoad.AFFINE));
        all.add(new MatrixMultiply(type, DataType.I8, Tile.TALL, true, RESIDUAL, false, OnLoad.AFFINE_SILU));
        if (type == DataType.F32) {
            all.add(new MatrixMultiply(type, DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, false, OnLoad.AFFINE));
        }
    }

    /** Convolutions of maps read doubled, beside those of {@link #addConvolutions}. */
    private static void addDoubling(List<Kernel> all, DataType type, Tile medium, Tile large) {
        all.add(doubling(type, type, medium, RESIDUAL_STATISTICS, false));
        all.add(doubling(type, type, medium, Epilogue.NONE, true));
        if (type == DataType.F16) {
            all.add(doubling(type, type, large, BIAS_STATISTICS, false));
            all.add(doubling(type, DataType.I8, large, BIAS_STATISTICS, false));
            all.add(doubling(type, DataType.I8, medium, Epilogue.NONE, true));
        }
    }

    private static Convolution doubling(DataType type, DataType weights, Tile tile, Epilogue epilogue, boolean partial) {
        return new Convolution(type, weights, tile, true, epilogue, Convolution.Window.DOUBLED, partial);
    }

    private static void addTensorNormalizing(List<Kernel> all, Arithmetic arithmetic) {
        DataType type = DataType.F16;
        Tile medium = Tile.mediumTensor(arithmetic);
        all.add(new MatrixMultiply(type, type, medium, true, Epilogue.BIAS, false, OnLoad.AFFINE));
        all.add(new MatrixMultiply(type, type, medium, true, Epilogue.NONE, true, OnLoad.AFFINE));
        all.add(new MatrixMultiply(type, type, Tile.largeTensor(arithmetic), true, Epilogue.BIAS, false, OnLoad.AFFINE));
        all.add(new MatrixMultiply(type, DataType.I8, Tile.largeTensor(arithmetic), true, RESIDUAL, false, OnLoad.AFFINE_SILU));
        all.add(new MatrixMultiply(type, type, Tile.tallestTensor(arithmetic), true, Epilogue.BIAS, false, OnLoad.AFFINE_SILU));
    }

    /** Tiles between medium and large ones. */
    private static void addBetween(List<Kernel> all, Tile... tiles) {
        for (Tile tile : tiles) {
            all.add(new MatrixMultiply(DataType.F16, tile, true, Epilogue.biasGeglu()));
            all.add(new Convolution(DataType.F16, tile, true, RESIDUAL, Convolution.Window.SAME));
        }
        all.add(new Convolution(DataType.F16, DataType.I8, tiles[0], true, Epilogue.NONE, Convolution.Window.SAME, true));
    }

    private static void addByteLayers(List<Kernel> all, Tile medium, Tile large) {
        all.add(new MatrixMultiply(DataType.F16, DataType.I8, medium, true, RESIDUAL));
        all.add(new MatrixMultiply(DataType.F16, DataType.I8, large, true, Epilogue.biasGeglu()));
        all.add(new Convolution(DataType.F16, DataType.I8, medium, true, Epilogue.BIAS, Convolution.Window.DOUBLED));
        all.add(new Convolution(DataType.F16, DataType.I8, large, true, RESIDUAL, Convolution.Window.SAME));
    }

    private static void addTensorProducts(List<Kernel> all, Arithmetic arithmetic) {
        Tile medium = Tile.mediumTensor(arithmetic);
        Tile large = Tile.largeTensor(arithmetic);
        all.add(new MatrixMultiply(DataType.F16, medium, true, Epilogue.NONE));
        all.add(new MatrixMultiply(DataType.F16, medium, true, ALL_STEPS));
        for (Tile tile : List.of(medium, large)) {
            LAYERS.forEach(epilogue -> all.add(new MatrixMultiply(DataType.F16, tile, true, epilogue)));
        }
        addConvolutions(all, DataType.F16, medium, true);
        all.add(new MatrixMultiply(DataType.F16, DataType.I8, medium, true, Epilogue.NONE));
        addByteLayers(all, medium, large);
        addSplitProducts(all, DataType.F16, medium);
        addBetween(all, Tile.tallestTensor(arithmetic), Tile.tallTensor(arithmetic), Tile.wideTensor(arithmetic));
        all.add(new Convolution(DataType.F16, large, true, PER_CHANNEL, Convolution.Window.SAME));
        all.add(new Convolution(DataType.F16, large, true, RESIDUAL, Convolution.Window.SAME));
        all.add(new MatrixMultiply(DataType.F16, medium, true, RESIDUAL_STATISTICS));
        all.add(new Convolution(DataType.F16, large, true, PER_CHANNEL_STATISTICS, Convolution.Window.SAME));
        all.add(new Convolution(DataType.F16, Tile.tallestTensor(arithmetic), true, RESIDUAL_STATISTICS, Convolution.Window.SAME));
    }

    private static void addPatchProducts(List<Kernel> all, Arithmetic arithmetic) {
        Tile medium = Tile.mediumPatch(arithmetic);
        for (Tile tile : Tile.patches(arithmetic)) {
            all.add(patches(DataType.F16, tile, PER_CHANNEL, false, OnLoad.AFFINE_SILU));
            all.add(patches(DataType.F16, tile, RESIDUAL_STATISTICS, false, OnLoad.AFFINE_SILU));
        }
        all.add(patches(DataType.F16, medium, Epilogue.NONE, true, OnLoad.NOTHING));
        all.add(patches(DataType.F16, Tile.largePatch(arithmetic), RESIDUAL, false, OnLoad.NOTHING));
        all.add(patches(DataType.I8, medium, Epilogue.NONE, true, OnLoad.AFFINE));
        all.add(patches(DataType.I8, Tile.tallestPatch(arithmetic), RESIDUAL_STATISTICS, false, OnLoad.AFFINE_SILU));
    }

    private static Convolution patches(DataType weights, Tile tile, Epilogue epilogue, boolean partial, OnLoad onLoad) {
        return new Convolution(DataType.F16, weights, tile, true, epilogue, Convolution.Window.SAME, partial, onLoad);
    }

    private static void addConvolutions(List<Kernel> all, DataType type, Tile tile, boolean vector) {
        all.add(new Convolution(type, tile, vector, Epilogue.BIAS, new Convolution.Window(1, 1, 0, false)));
        all.add(new Convolution(type, tile, vector, Epilogue.BIAS, new Convolution.Window(3, 2, 0, false)));
        all.add(new Convolution(type, tile, vector, Epilogue.BIAS, new Convolution.Window(3, 2, 1, false)));
        all.add(new Convolution(type, tile, vector, Epilogue.BIAS, Convolution.Window.DOUBLED));
        all.add(new Convolution(type, tile, vector, Epilogue.BIAS, Convolution.Window.SAME));
    }

    private static void addAttention(List<Kernel> all, DataType type) {
        for (int headSize : HEAD_SIZES) {
            all.add(new Attention(type, headSize, false, true));
        }
        all.add(new Attention(type, 64, true, true));
        all.add(new Attention(type, 40, false, false));
        all.add(new Attention(type, 13, true, false));
        all.add(new Attention(type, 172, true, true));
        all.add(new Attention(type, 512, false, true));
        for (boolean vector : new boolean[] {false, true}) {
            all.add(new AttentionScores(type, Arithmetic.FMA, vector));
            all.add(new AttentionValues(type, Arithmetic.FMA, vector));
        }
    }

    private static void addTensorAttention(List<Kernel> all, Arithmetic arithmetic) {
        for (int headSize : HEAD_SIZES) {
            all.add(new TensorAttention(arithmetic, headSize, false, 64));
        }
        for (int headSize : new int[] {40, 64, 80}) {
            all.add(new TensorAttention(arithmetic, headSize, false, 128));
        }
        all.add(new TensorAttention(arithmetic, 64, true, 64));
        all.add(new WideTensorAttention(arithmetic, 168, true));
        all.add(new WideTensorAttention(arithmetic, 512, false));
        all.add(new AttentionScores(DataType.F16, arithmetic, true));
        all.add(new AttentionValues(DataType.F16, arithmetic, true));
    }
}
