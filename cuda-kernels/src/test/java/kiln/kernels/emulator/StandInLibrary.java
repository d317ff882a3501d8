package kiln.kernels.emulator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Compiles the stand-in {@code libcuda.so.1}. Its sources are resources beside this class, so that other modules' tests can have it as well. */
public final class StandInLibrary {
    private static final List<String> SOURCES = List.of("libcuda.h", "libcuda.c", "work.c", "order.c");

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

    /** @return the library's file, in {@code folder} */
    public static Path compile(Path folder) throws IOException {
        Files.createDirectories(folder);
        Path library = folder.resolve("libcuda.so.1");
        List<String> command = new ArrayList<>(List.of("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
                "-Wl,-soname,libcuda.so.1", "-I" + include(), "-I" + include().resolve("linux"), "-o", library.toString()));
        for (String name : SOURCES) {
            Path source = folder.resolve(name);
            try (InputStream in = StandInLibrary.class.getResourceAsStream(name)) {
                Files.write(source, in.readAllBytes());
            }
            if (name.endsWith(".c")) {
                command.add(source.toString());
            }
        }
        command.addAll(List.of("-ldl", "-lpthread"));
        if (run(command) != 0) {
            throw new IOException("gcc could not compile the stand-in for libcuda.so.1 in " + folder);
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
