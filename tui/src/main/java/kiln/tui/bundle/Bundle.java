package kiln.tui.bundle;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.Version;

/**
 * Makes the portable bundle: a compressed tar of one folder that holds the start script, the jars, a trimmed Java in {@code java/} (which
 * the start script prefers to any other) and the demo model.
 *
 * @param home Kiln's own folder, built
 * @param jdk home of the JDK whose Java goes into the bundle
 * @param withCpuNatives whether oneDNN's native libraries go in; without them the CPU computes in plain Java only
 * @param withDemo whether the demo model goes in
 */
public record Bundle(Path home, Path jdk, boolean withCpuNatives, boolean withDemo) {
    /**
     * What was made.
     *
     * @param modules of Java
     * @param glibc the oldest C library that it runs with, {@code null} when unknown
     */
    public record Result(Path file, long bytes, Set<String> modules, String glibc) {}

    /** Folder in the bundle and in the start script. */
    static final String JAVA = "java";

    private static final Set<String> OWN_JARS = Set.of("tui.jar", "runtime.jar", "cuda-kernels.jar", "weights-loader.jar");
    private static final Set<String> CPU_NATIVES = Set.of("dnnl", "opencl");
    private static final String NATIVE_JAR_END = "-linux-x86_64.jar";
    private static final String CUDA_NATIVES = "jcuda-natives" + NATIVE_JAR_END;
    /** The compiler that only tests use is nearly all of JCuda's natives. */
    private static final String TEST_ONLY_NATIVE = "JNvPTXCompiler";
    private static final String DEMO = "runtime/demo/kiln-demo.safetensors";
    private static final String CARD_REPORT = "cuda-kernels/card-report";
    private static final List<String> TEXTS = List.of("LICENSE", "NOTICE", "README.md");
    /** The same for every build: equal inputs give an equal archive. 2026-01-01, as tar shows a time of zero as an error. */
    private static final FileTime TIME = FileTime.fromMillis(1_767_225_600_000L);

    /** "kiln-0.1.0-linux-x86_64", the folder's name and with ".tar.gz" the archive's. */
    public static String name() {
        String arch = System.getProperty("os.arch").replace("amd64", "x86_64");
        return "kiln-" + Version.TEXT + "-" + System.getProperty("os.name").toLowerCase(Locale.ROOT).replace(' ', '-') + "-" + arch;
    }

    /**
     * Writes the archive; a file of that name is replaced when it is complete.
     *
     * @param listener told what is being done
     * @throws KilnException NOT_FOUND when the JDK or Kiln's build is not whole
     * @throws IOException when something cannot be read or written
     */
    public Result write(Path file, Consumer<String> listener) throws IOException {
        TrimmedJava java = new TrimmedJava(jdk);
        List<Path> jars = jars();
        Path parent = file.toAbsolutePath().getParent();
        Files.createDirectories(parent);
        Path work = Files.createTempDirectory("kiln-bundle");
        Path unfinished = parent.resolve(file.getFileName() + ".part");
        try {
            listener.accept("linking Java");
            Set<String> modules = java.modules(jars.stream().filter(jar -> !jar.toString().endsWith(NATIVE_JAR_END)).toList(), OWN_JARS);
            Path image = work.resolve(JAVA);
            java.link(modules, image, TIME);
            listener.accept("packing");
            try (TarWriter tar = new TarWriter(compressed(unfinished), TIME.toMillis() / 1000)) {
                pack(tar, jars, image, work);
            }
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            return new Result(file, Files.size(file), modules, GlibcVersion.neededBy(programs(image)));
        } finally {
            Files.deleteIfExists(unfinished);
            delete(work);
        }
    }

    /** The jars that go in, sorted. */
    List<Path> jars() throws IOException {
        Path lib = home.resolve("lib");
        if (!Files.isRegularFile(lib.resolve("tui.jar"))) {
            throw new KilnException(Category.NOT_FOUND, "no build in " + lib + ": start Kiln by its script, ./kiln, which makes one");
        }
        try (Stream<Path> files = Files.list(lib)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .filter(file -> withCpuNatives || !isCpuNative(file.getFileName().toString()))
                    .sorted()
                    .toList();
        }
    }

    private static boolean isCpuNative(String jar) {
        return jar.endsWith(NATIVE_JAR_END) && CPU_NATIVES.contains(jar.substring(0, jar.length() - NATIVE_JAR_END.length()));
    }

    private static OutputStream compressed(Path file) throws IOException {
        return new BufferedOutputStream(
                new GZIPOutputStream(Files.newOutputStream(file), 1 << 16) {
                    {
                        def.setLevel(Deflater.BEST_COMPRESSION);
                    }
                },
                1 << 16);
    }

    private void pack(TarWriter tar, List<Path> jars, Path image, Path work) throws IOException {
        String root = name();
        tar.folder(root);
        tar.file(root + "/kiln", home.resolve("kiln"), true);
        if (Files.isRegularFile(home.resolve(CARD_REPORT))) {
            tar.file(root + "/card-report", home.resolve(CARD_REPORT), true);
        }
        for (String text : TEXTS) {
            if (Files.isRegularFile(home.resolve(text))) {
                tar.file(root + "/" + text, home.resolve(text), false);
            }
        }
        tar.folder(root + "/lib");
        for (Path jar : jars) {
            String name = jar.getFileName().toString();
            Path source = jar;
            if (name.equals(CUDA_NATIVES)) {
                source = work.resolve(name);
                ReducedJar.write(jar, source, entry -> !entry.contains(TEST_ONLY_NATIVE));
            }
            tar.file(root + "/lib/" + name, source, false);
        }
        packFolder(tar, image, root + "/" + JAVA);
        if (withDemo && Files.isRegularFile(home.resolve(DEMO))) {
            tar.folder(root + "/runtime");
            tar.folder(root + "/runtime/demo");
            tar.file(root + "/" + DEMO, home.resolve(DEMO), false);
        }
    }

    private static void packFolder(TarWriter tar, Path folder, String name) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted().toList();
        }
        for (Path path : paths) {
            String entry = path.equals(folder) ? name : name + "/" + folder.relativize(path);
            if (Files.isSymbolicLink(path)) {
                tar.link(entry, Files.readSymbolicLink(path).toString());
            } else if (Files.isDirectory(path)) {
                tar.folder(entry);
            } else {
                tar.file(entry, path, Files.isExecutable(path));
            }
        }
    }

    private static List<Path> programs(Path image) throws IOException {
        List<Path> programs = new ArrayList<>();
        programs.add(image.resolve("bin/java"));
        try (Stream<Path> walk = Files.walk(image.resolve("lib"))) {
            walk.filter(file -> file.toString().endsWith(".so")).forEach(programs::add);
        }
        return programs;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
