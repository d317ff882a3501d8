package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kiln.kernels.emulator.StandInLibrary;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.Tile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * JCublas and JCudnn with their own natives, on stand-ins for NVIDIA's libraries. A process loads a library once for good, so each run is a
 * JVM of its own, which finds them as Kiln does.
 */
class NvidiaLibrariesTest {
    private static final Path FOLDER = Path.of("target", "stand-in-libraries").toAbsolutePath();

    /** What runs there: opens both libraries, twice, and computes with what opens. */
    static final class Program {
        private final CudaContext context;
        private final CudaContext.Stream stream;
        private final Random random = new Random(1);

        private Program(CudaContext context) {
            this.context = context;
            stream = context.createStream();
        }

        public static void main(String[] arguments) throws IOException {
            try (CudaContext context = CudaDriver.load(FOLDER.resolve("natives")).open(0)) {
                long free = context.memoryInfo().freeBytes();
                Program program = new Program(context);
                for (int i = 0; i < 2; i++) {
                    program.cublas();
                    program.cudnn();
                }
                System.out.println(free == context.memoryInfo().freeBytes() ? "all given back" : "something was left");
            }
        }

        private void cublas() {
            try (Cublas cublas = context.openCublas()) {
                System.out.println("cuBLAS " + cublas.version());
                for (DataType type : DataType.FLOATS) {
                    for (Cublas.Product product : List.of(new Cublas.Product(type, 5, 7, 3), new Cublas.Product(type, 1, 64, 40))) {
                        float[] a = values(type, product.rows() * product.channels());
                        float[] weights = values(type, product.columns() * product.channels());
                        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(
                                product.rows(), product.columns(), product.channels(), product.channels(), product.columns());
                        float[] expected = new MatrixMultiply(type, Tile.SMALL, false, Epilogue.NONE)
                                .reference(a, weights, null, sizes, Epilogue.Values.NONE);
                        compare(product.label(), type, expected, List.of(a, weights), places ->
                                cublas.multiply(product, places[0], places[1], places[2], stream));
                    }
                }
            } catch (LibraryException | CudaException e) {
                System.out.println(e.getMessage());
            }
        }

        private void cudnn() {
            try (Cudnn cudnn = context.openCudnn()) {
                System.out.println("cuDNN " + cudnn.version());
                for (DataType type : DataType.FLOATS) {
                    for (Cudnn.Convolution convolution : List.of(
                            new Cudnn.Convolution(type, 2, 5, 4, 3, 6, 3, 1, 1),
                            new Cudnn.Convolution(type, 1, 8, 6, 8, 4, 3, 2, 1),
                            new Cudnn.Convolution(type, 1, 7, 5, 2, 3, 3, 1, 0))) {
                        convolve(cudnn, convolution);
                    }
                }
            } catch (LibraryException | CudaException e) {
                System.out.println(e.getMessage());
            }
        }

        private void convolve(Cudnn cudnn, Cudnn.Convolution convolution) {
            DataType type = convolution.type();
            int taps = convolution.size() * convolution.size();
            float[] in = values(type, convolution.batch() * convolution.height() * convolution.width() * convolution.inChannels());
            float[] weights = values(type, convolution.outChannels() * taps * convolution.inChannels());
            Convolution.Shape shape = new Convolution.Shape(
                    convolution.batch(), convolution.height(), convolution.width(), convolution.inChannels(), convolution.outHeight(),
                    convolution.outWidth(), convolution.outChannels());
            Convolution.Window window = new Convolution.Window(convolution.size(), convolution.stride(), convolution.padding(), false);
            float[] expected = new Convolution(type, Tile.SMALL, false, Epilogue.NONE, window)
                    .reference(in, weights, null, shape, Convolution.Band.whole(shape), Epilogue.Values.NONE);
            long work = context.allocate(Math.max(1, cudnn.workBytes(convolution).orElseThrow()), "work");
            try {
                compare(convolution.label(), type, expected, List.of(in, weights), places ->
                        cudnn.convolve(convolution, places[0], places[1], places[2], work, stream));
            } finally {
                context.free(work);
            }
        }

        private float[] values(DataType type, int count) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) random.nextGaussian();
            }
            return type.decode(type.encode(values));
        }

        private interface Work {
            void queue(long[] places);
        }

        /** Sums are 64-bit on both sides and rounded once. */
        private void compare(String label, DataType type, float[] expected, List<float[]> inputs, Work work) {
            List<byte[]> blocks = new ArrayList<>();
            inputs.forEach(input -> blocks.add(type.encode(input)));
            blocks.add(new byte[expected.length * type.bytes()]);
            long[] places = new long[blocks.size()];
            CudaContext.PinnedMemory pinned = context.allocatePinned(1 << 16, "inputs");
            for (int i = 0; i < places.length; i++) {
                places[i] = context.allocate(blocks.get(i).length, "block " + i);
                pinned.bytes().put(0, blocks.get(i));
                context.copyToDevice(pinned, 0, places[i], blocks.get(i).length, stream);
                context.synchronize(stream);
            }
            try {
                work.queue(places);
                float[] found = result(type, places, expected.length, pinned);
                double rounding = type == DataType.F16 ? 0x1p-11 : 0x1p-23;
                String verdict = " is right";
                for (int i = 0; i < expected.length; i++) {
                    if (!(Math.abs(found[i] - expected[i]) <= rounding * Math.abs(expected[i]) + 1e-6)) {
                        verdict = ": " + found[i] + " at " + i + " should be " + expected[i];
                    }
                }
                context.fill(places[places.length - 1], (byte) 0, expected.length * type.bytes(), stream);
                CudaContext.Graph graph = context.capture(stream, () -> work.queue(places));
                context.launch(graph, stream);
                if (!Arrays.equals(found, result(type, places, expected.length, pinned))) {
                    verdict = " is another result in a CUDA graph";
                }
                context.destroy(graph);
                System.out.println(label + verdict);
            } finally {
                for (long place : places) {
                    context.free(place);
                }
                context.free(pinned);
            }
        }

        private float[] result(DataType type, long[] places, int count, CudaContext.PinnedMemory pinned) {
            byte[] result = new byte[count * type.bytes()];
            context.copyToHost(places[places.length - 1], pinned, 0, result.length, stream);
            context.synchronize(stream);
            pinned.bytes().get(0, result);
            return type.decode(result);
        }
    }

    @BeforeAll
    static void compile() throws IOException {
        String obstacle = StandInLibrary.obstacle();
        Assumptions.assumeTrue(obstacle == null, obstacle);
        StandInLibrary.compile(FOLDER.resolve("driver"));
        StandInLibrary.compileProducts(FOLDER.resolve("products"));
    }

    private static List<String> run(Path products, Map<String, String> variables) throws IOException, InterruptedException {
        for (String name : List.of(SystemLibrary.CUBLAS, SystemLibrary.CUDNN)) {
            Path found = SystemLibraries.find(name);
            Assumptions.assumeTrue(found == null, "this machine has the real " + found);
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                java, "-Xmx256m", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), Program.class.getName());
        builder.environment().put("LD_LIBRARY_PATH", FOLDER.resolve("driver") + ":" + products);
        builder.environment().putAll(variables);
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text.lines().toList();
    }

    private static List<String> run(Map<String, String> variables) throws IOException, InterruptedException {
        return run(FOLDER.resolve("products"), variables);
    }

    @Test
    void computeWhatKilnsOwnKernelsCompute() throws Exception {
        List<String> once = List.of(
                "cuBLAS 12.6.4",
                "gemm f16 5x7x3 is right",
                "gemm f16 1x64x40 is right",
                "gemm f32 5x7x3 is right",
                "gemm f32 1x64x40 is right",
                "cuDNN 8.9.7",
                "conv f16 2x5x4x3 to 6, 3x3 stride 1 is right",
                "conv f16 1x8x6x8 to 4, 3x3 stride 2 is right",
                "conv f16 1x7x5x2 to 3, 3x3 stride 1 padding 0 is right",
                "conv f32 2x5x4x3 to 6, 3x3 stride 1 is right",
                "conv f32 1x8x6x8 to 4, 3x3 stride 2 is right",
                "conv f32 1x7x5x2 to 3, 3x3 stride 1 padding 0 is right");
        List<String> twice = new ArrayList<>(once);
        twice.addAll(once);
        twice.add("all given back");
        assertThat(run(Map.of())).isEqualTo(twice);
    }

    @Test
    void thatAreMissingAreSaidToBe(@TempDir Path empty) throws Exception {
        assertThat(run(empty, Map.of()))
                .containsExactly(
                        "libcublas.so.12 was not found",
                        "libcudnn.so.8 was not found",
                        "libcublas.so.12 was not found",
                        "libcudnn.so.8 was not found",
                        "all given back");
    }

    @Test
    void thatAreBrokenAreSaidToBe(@TempDir Path broken) throws Exception {
        Files.writeString(broken.resolve(SystemLibrary.CUBLAS), "no library");
        Files.writeString(broken.resolve(SystemLibrary.CUDNN), "");
        List<String> lines = run(broken, Map.of());
        assertThat(lines).hasSize(5).endsWith("all given back");
        assertThat(lines.get(0)).startsWith(broken.resolve(SystemLibrary.CUBLAS) + " does not load: ").isEqualTo(lines.get(2));
        assertThat(lines.get(1)).startsWith(broken.resolve(SystemLibrary.CUDNN) + " does not load: ").isEqualTo(lines.get(3));
    }

    @Test
    void thatAreOldAreRefused() throws Exception {
        assertThat(run(Map.of("EMULATED_CUBLAS_VERSION", "110803", "EMULATED_CUDNN_VERSION", "7605")))
                .startsWith("cuBLAS 11.8.3 is too old: 12.0 or newer is needed", "cuDNN 7.6.5 is too old: 8.0 or newer is needed")
                .endsWith("all given back");
    }

    @Test
    void thatAreNewerAreTaken() throws Exception {
        assertThat(run(Map.of("EMULATED_CUBLAS_VERSION", "130001", "EMULATED_CUDNN_VERSION", "90100")))
                .contains("cuBLAS 13.0.1", "cuDNN 9.1.0", "gemm f16 5x7x3 is right");
    }

    @Test
    void thatDoNotStartAreSaidNotTo() throws Exception {
        assertThat(run(Map.of("EMULATED_CUBLAS_FAIL", "cublasCreate=8", "EMULATED_CUDNN_FAIL", "cudnnCreate=1")))
                .startsWith(
                        "cuBLAS does not start on this card: CUBLAS_STATUS_ARCH_MISMATCH",
                        "cuDNN 8.9.7 does not start on this card: CUDNN_STATUS_NOT_INITIALIZED")
                .endsWith("all given back");
    }

    @Test
    void whatTheyRefuseIsSaidWithSizes() throws Exception {
        assertThat(run(Map.of("EMULATED_CUBLAS_FAIL", "cublasGemmEx=15", "EMULATED_CUDNN_FAIL", "cudnnConvolutionForward=8")))
                .startsWith(
                        "cuBLAS 12.6.4",
                        "CUBLAS_STATUS_NOT_SUPPORTED while multiplying with cuBLAS: gemm f16 5x7x3",
                        "cuDNN 8.9.7",
                        "CUDNN_STATUS_EXECUTION_FAILED while convolving with cuDNN: conv f16 2x5x4x3 to 6, 3x3 stride 1");
    }
}
