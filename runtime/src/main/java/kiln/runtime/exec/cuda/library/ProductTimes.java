package kiln.runtime.exec.cuda.library;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import kiln.kernels.CudaDevices;
import kiln.kernels.op.product.Epilogue;
import kiln.runtime.base.Version;

/**
 * How long matrix products and convolutions took on a card, by Kiln's own kernels and by NVIDIA's libraries, each with what follows it.
 *
 * @param products by what {@link #key} makes of sizes
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ProductTimes(Map<String, Times> products) {
    /** Nothing was measured. */
    public static final ProductTimes NONE = new ProductTimes(Map.of());

    private static final String PRODUCT = "gemm ";
    /** So much faster a library has to be: less is noise, and costs its memory. */
    private static final double GAIN = 1.03;

    /**
     * Microseconds of one product.
     *
     * @param version of the library that was measured
     */
    public record Times(double own, double library, String version) {
        public Times {
            Objects.requireNonNull(version, "version");
        }

        boolean isLibraryFaster() {
            return library * GAIN < own;
        }
    }

    public ProductTimes {
        products = Map.copyOf(products);
    }

    public static String key(String label, Epilogue epilogue) {
        return label + ", " + epilogue.label();
    }

    /**
     * How many of the measured matrix products were faster with cuBLAS.
     *
     * @param version of cuBLAS; {@code null} for any
     */
    public long cublasWins(String version) {
        return wins(true, version);
    }

    private long wins(boolean ofMatrices, String version) {
        return products.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(PRODUCT) == ofMatrices)
                .map(Map.Entry::getValue)
                .filter(times -> times.isLibraryFaster() && (version == null || version.equals(times.version)))
                .count();
    }

    /** How many matrix products were measured. */
    public long cublasProducts() {
        return products.keySet().stream().filter(key -> key.startsWith(PRODUCT)).count();
    }

    /** The same of convolutions with cuDNN. */
    public long cudnnWins(String version) {
        return wins(false, version);
    }

    /** How many convolutions were measured. */
    public long cudnnProducts() {
        return products.size() - cublasProducts();
    }

    boolean isLibraryFaster(String key, String version) {
        Times times = products.get(key);
        return times != null && times.version.equals(version) && times.isLibraryFaster();
    }

    /** These and others; of what is in both, the others'. */
    public ProductTimes with(ProductTimes others) {
        Map<String, Times> all = new TreeMap<>(products);
        all.putAll(others.products);
        return new ProductTimes(all);
    }

    /** Where a card's times are kept, for this version of Kiln. */
    public static Path file(Path cacheFolder, CudaDevices.Device device) {
        String card = (device.uuid() == null ? device.name() : device.uuid()).replaceAll("[^A-Za-z0-9.-]+", "-");
        return cacheFolder.resolve("cuda").resolve(card + "-" + Version.TEXT + ".json");
    }

    /** What a file holds; {@link #NONE} when there is none or it cannot be read, as for any cache. */
    public static ProductTimes read(Path file) {
        try {
            return Files.isRegularFile(file) ? new ObjectMapper().readValue(file.toFile(), ProductTimes.class) : NONE;
        } catch (IOException e) {
            return NONE;
        }
    }

    public void write(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Path temporary = Files.createTempFile(file.getParent(), "times", ".json");
        try {
            ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
            mapper.writeValue(temporary.toFile(), this);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
