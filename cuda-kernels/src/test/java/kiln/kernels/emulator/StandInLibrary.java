package kiln.kernels.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Compiles the stand-ins for NVIDIA's libraries. Their sources are resources beside this class, so that other modules' tests can have them as well. */
public final class StandInLibrary {
    private static final List<String> DRIVER = List.of("libcuda.h", "libcuda.c", "work.c", "order.c");
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
        return compile(folder, "libcuda.so.1", DRIVER);
    }

    /** Compiles cuBLAS' and cuDNN's, {@code libcublas.so.12} and {@code libcudnn.so.8}, into the folder. */
    public static void compileProducts(Path folder) throws IOException {
        compile(folder, "libcublas.so.12", List.of(PRODUCTS + "java.h", PRODUCTS + "libcublas.c"));
        compile(folder, "libcudnn.so.8", List.of(PRODUCTS + "java.h", PRODUCTS + "libcudnn.c"));
    }

    private static Path compile(Path folder, String soname, List<String> resources) throws IOException {
        Files.createDirectories(folder);
        Path library = folder.resolve(soname);
        List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
                "-Wl,-soname," + soname, "-I" + include(), "-I" + include().resolve("linux"), "-o", library.toString()));
        for (String resource : resources) {
            Path source = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
            try (InputStream in = StandInLibrary.class.getResourceAsStream(resource)) {
                Files.write(source, in.readAllBytes());
            }
            if (resource.endsWith(".c")) {
                command.add(source.toString());
            }
        }
        command.addAll(List.of("-ldl", "-lpthread"));
        if (run(command) != 0) {
            throw new IOException("gcc could not compile the stand-in for " + soname + " in " + folder);
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
