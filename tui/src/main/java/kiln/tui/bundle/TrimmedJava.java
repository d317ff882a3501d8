package kiln.tui.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;

/** A Java that has only the modules which some jars need, linked by a JDK's own tools. */
final class TrimmedJava {
    private static final int LINES_OF_A_FAILURE = 3;

    private final Path jdk;

    /**
     * @param jdk its home
     * @throws KilnException NOT_FOUND when it is not a whole JDK
     */
    TrimmedJava(Path jdk) {
        this.jdk = jdk;
        for (String tool : List.of("jlink", "jdeps")) {
            if (!Files.isExecutable(tool(jdk, tool))) {
                throw new KilnException(
                        Category.NOT_FOUND,
                        "the bundle needs a whole JDK, and " + jdk + " has no " + tool + ": set JAVA_HOME to one (Debian, Ubuntu: openjdk-17-jdk)");
            }
        }
    }

    private static Path tool(Path home, String name) {
        return home.resolve("bin").resolve(name);
    }

    /** The modules that {@code jars} need, of which those named {@code ownJars} are Kiln's. */
    Set<String> modules(List<Path> jars, Set<String> ownJars) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                tool(jdk, "jdeps").toString(), "-summary", "--ignore-missing-deps", "--multi-release",
                Integer.toString(Runtime.version().feature())));
        jars.forEach(jar -> command.add(jar.toString()));
        return ModuleNeeds.of(output(command), ownJars);
    }

    /**
     * Links a Java and makes its archive of JDK classes, without which Java cannot archive a program's own.
     *
     * @param target a folder that does not exist yet
     * @param time of the file of modules; the archive holds only while the file keeps it
     */
    void link(Set<String> modules, Path target, FileTime time) throws IOException {
        output(List.of(
                tool(jdk, "jlink").toString(), "--add-modules", String.join(",", modules), "--strip-java-debug-attributes", "--no-man-pages",
                "--no-header-files", "--vm=server", "--output", target.toString()));
        Files.deleteIfExists(tool(target, "keytool"));
        Files.setLastModifiedTime(target.resolve("lib/modules"), time);
        // As the start script runs it: the archive may then hold objects, too.
        output(List.of(tool(target, "java").toString(), "-XX:+UseSerialGC", "-Xshare:dump"));
    }

    private static String output(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            int status = process.waitFor();
            if (status != 0) {
                String last = Stream.of(output.split("\\R")).filter(line -> !line.isBlank()).limit(LINES_OF_A_FAILURE).collect(Collectors.joining("; "));
                throw new KilnException(Category.INTERNAL, command.get(0) + " failed with status " + status + ": " + last);
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw KilnException.cancelled();
        }
        return output;
    }
}
