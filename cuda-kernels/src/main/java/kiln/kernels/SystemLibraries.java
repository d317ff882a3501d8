package kiln.kernels;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds NVIDIA's shared libraries without loading anything. */
public final class SystemLibraries {
    /** The driver's own library, which comes with it. */
    public static final String DRIVER = "libcuda.so.1";

    private static final Path LINKER_CACHE = Path.of("/etc/ld.so.cache");
    private static final Path MODULE_VERSION = Path.of("/proc/driver/nvidia/version");
    /** Usual places that the linker's cache does not always know: distributions', containers', WSL's, NixOS'. */
    private static final List<String> FOLDERS = List.of(
            "/usr/lib/x86_64-linux-gnu",
            "/lib/x86_64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/usr/local/nvidia/lib64",
            "/usr/local/cuda/lib64",
            "/usr/local/cuda/compat",
            "/usr/lib/wsl/lib",
            "/run/opengl-driver/lib");

    private SystemLibraries() {}

    /** Where the dynamic linker, or a usual folder, has the library of that name; {@code null} when nowhere. */
    public static Path find(String name) {
        return find(name, System.getenv("LD_LIBRARY_PATH"));
    }

    /**
     * As {@link #find(String)}.
     *
     * @param libraryPath the value of LD_LIBRARY_PATH, {@code null} when it is not set
     */
    static Path find(String name, String libraryPath) {
        List<String> folders = new ArrayList<>();
        if (libraryPath != null) {
            folders.addAll(List.of(libraryPath.split(":")));
        }
        folders.removeIf(String::isEmpty);
        int own = folders.size();
        folders.addAll(FOLDERS);
        for (int i = 0; i < folders.size(); i++) {
            if (i == own) {
                Path cached = inLinkerCache(name, LINKER_CACHE);
                if (cached != null) {
                    return cached;
                }
            }
            Path library = existing(folders.get(i) + "/" + name);
            if (library != null) {
                return library;
            }
        }
        return null;
    }

    /** The cache is binary, but its paths are plain strings that end with a zero byte: no need to start ldconfig. */
    static Path inLinkerCache(String name, Path cache) {
        String text;
        try {
            text = Files.readString(cache, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return null;
        }
        String end = "/" + name + "\0";
        for (int at = text.indexOf(end); at >= 0; at = text.indexOf(end, at + 1)) {
            int begin = text.lastIndexOf('\0', at) + 1;
            Path library = existing(text.substring(begin, at + end.length() - 1));
            if (library != null && !library.toString().contains("i386")) {
                return library;
            }
        }
        return null;
    }

    private static Path existing(String name) {
        try {
            Path path = Path.of(name).toAbsolutePath();
            return Files.isRegularFile(path) ? path : null;
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** The loaded kernel module's version, or {@code null}. */
    static String moduleVersion() {
        try {
            return moduleVersion(Files.readString(MODULE_VERSION));
        } catch (IOException e) {
            return null;
        }
    }

    static String moduleVersion(String text) {
        Matcher version = Pattern.compile("Kernel Module.*?\\s(\\d+(?:\\.\\d+)+)\\s").matcher(text);
        return version.find() ? version.group(1) : null;
    }
}
