package kiln.kernels.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Compiles the stand-ins for NVIDIA's libraries. Their sources are resources beside this class, so that other modules' tests can have them as well. */
public final class StandInLibrary {
    private static final String PRODUCTS = "/kiln/kernels/libraries/";

    private StandInLibrary() {}

    /** Why it cannot be compiled here, in one line; null if it can. */
    public static String obstacle() {
        if (!Files.isRegularFile(include().resolve("jni.h"))) {
            return "the stand-in for libcuda.so.1 needs jni.h, which this Java does not have: " + include();
        }
        try {
            return run(List.of("gcc", "--version")) == 0 ? null : "gcc does not start";
        } catch (IOException e) {
            return "the stand-in for libcuda.so.1 is compiled by gcc, which is not there: " + e.getMessage();
        }
    }

    /**
     * Compiles the driver's.
     *
     * @return the library's file, in {@code folder}
     */
    public static Path compile(Path folder) throws IOException {
        return compile(copy("libcuda.c", folder), "libcuda.so.1");
    }

    /** Compiles cuBLAS' and cuDNN's, {@code libcublas.so.12} and {@code libcudnn.so.8}, into the folder. */
    public static void compileProducts(Path folder) throws IOException {
        copy(PRODUCTS + "java.h", folder);
        compile(copy(PRODUCTS + "libcublas.c", folder), "libcublas.so.12");
        compile(copy(PRODUCTS + "libcudnn.c", folder), "libcudnn.so.8");
    }

    private static Path copy(String resource, Path folder) throws IOException {
        Files.createDirectories(folder);
        Path source = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
        try (InputStream in = StandInLibrary.class.getResourceAsStream(resource)) {
            Files.write(source, in.readAllBytes());
        }
        return source;
    }

    private static Path compile(Path source, String name) throws IOException {
        Path library = source.resolveSibling(name);
        int status = run(List.of("gcc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-soname," + name, "-I" + include(),
                "-I" + include().resolve("linux"), "-o", library.toString(), source.toString(), "-ldl", "-lpthread"));
        if (status != 0) {
            throw new IOException("gcc could not compile " + source);
        }
        return library;
    }

    private static Path include() {
        return Path.of(System.getProperty("java.home"), "include");
    }

    private static int run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.get(0) + " ran", e);
        }
    }
}
