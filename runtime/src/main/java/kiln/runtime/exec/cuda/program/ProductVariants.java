package kiln.runtime.exec.cuda.program;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import kiln.kernels.Kernel;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.SplitSum;
import kiln.kernels.op.product.Tile;

/**
 * The kernels that other sizes and other cards make of a product. Which tile it takes, whether its sum is split, and whether the results
 * are whole slices of statistics follows from size and card; all else follows from the network.
 */
final class ProductVariants {
    private final Set<Tile> tiles = new LinkedHashSet<>();
    private final Set<Kernel> all = new LinkedHashSet<>();

    private ProductVariants() {}

    /** These and those that they become with any of these kernels' tiles. */
    static Set<Kernel> of(Collection<Kernel> kernels) {
        ProductVariants variants = new ProductVariants();
        for (Kernel kernel : kernels) {
            variants.all.add(kernel);
            if (kernel instanceof MatrixMultiply product) {
                variants.tiles.add(product.tile());
            } else if (kernel instanceof Convolution product) {
                variants.tiles.add(product.tile());
            }
        }
        for (Kernel kernel : kernels) {
            if (kernel instanceof MatrixMultiply product && product.vector()) {
                variants.add(product);
            } else if (kernel instanceof Convolution product && product.vector()) {
                variants.add(product);
            } else if (kernel instanceof SplitSum sum) {
                variants.all.add(new SplitSum(sum.type(), sum.scaled(), sum.width(), sum.epilogue().withoutStatistics()));
            }
        }
        return variants.all;
    }

    private void add(MatrixMultiply product) {
        for (Tile tile : tiles) {
            if (tile.arithmetic() == product.tile().arithmetic() && !tile.isPatch()) {
                all.add(with(product, tile, Epilogue.NONE, true));
                for (Epilogue epilogue : epilogues(product.partial(), product.epilogue())) {
                    all.add(with(product, tile, epilogue, false));
                }
            }
        }
    }

    private void add(Convolution product) {
        for (Tile tile : tiles) {
            // What a patch can do with what it loads is done before for others.
            if (tile.arithmetic() == product.tile().arithmetic() && (!tile.isPatch() || product.tile().isPatch())) {
                all.add(with(product, tile, Epilogue.NONE, true));
                for (Epilogue epilogue : epilogues(product.partial(), product.epilogue())) {
                    all.add(with(product, tile, epilogue, false));
                }
            }
        }
    }

    /** Of whole sums. */
    private static List<Epilogue> epilogues(boolean partial, Epilogue epilogue) {
        return partial ? List.of() : List.of(epilogue, epilogue.withoutStatistics());
    }

    private static MatrixMultiply with(MatrixMultiply p, Tile tile, Epilogue epilogue, boolean partial) {
        return new MatrixMultiply(p.type(), p.weights(), tile, true, epilogue, partial, p.onLoad());
    }

    private static Convolution with(Convolution p, Tile tile, Epilogue epilogue, boolean partial) {
        OnLoad onLoad = tile.isPatch() ? p.onLoad() : OnLoad.NOTHING;
        return new Convolution(p.type(), p.weights(), tile, true, epilogue, p.window(), partial, onLoad);
    }
}
