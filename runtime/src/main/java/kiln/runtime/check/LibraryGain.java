package kiln.runtime.check;

import java.util.Map;
import java.util.TreeMap;
import kiln.runtime.exec.cuda.library.ProductTimes;

/**
 * Where NVIDIA's libraries were faster than Kiln's own kernels, as it was measured.
 *
 * @param products matrix products and convolutions by their sizes
 * @param cublasProducts how many matrix products were measured
 * @param cublasWins how many of them cuBLAS computes from now on
 * @param cudnnProducts how many convolutions were measured
 * @param cudnnWins how many of them cuDNN computes from now on
 */
public record LibraryGain(Map<String, Times> products, long cublasProducts, long cublasWins, long cudnnProducts, long cudnnWins) {
    /** Microseconds of one. */
    public record Times(double own, double library) {}

    public LibraryGain {
        products = Map.copyOf(products);
    }

    /** @param times {@code null} when nothing was measured, which gives {@code null} */
    static LibraryGain of(ProductTimes times) {
        if (times == null) {
            return null;
        }
        Map<String, Times> products = new TreeMap<>();
        times.products().forEach((sizes, each) -> products.put(sizes, new Times(each.own(), each.library())));
        return new LibraryGain(products, times.cublasProducts(), times.cublasWins(null), times.cudnnProducts(), times.cudnnWins(null));
    }
}
