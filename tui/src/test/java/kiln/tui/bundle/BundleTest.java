package kiln.tui.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundle's pieces; a whole one is made by hand ({@code kiln bundle}). */
class BundleTest {
    private static final Path JDK = Path.of(System.getProperty("java.home"));

    @TempDir
    private Path folder;

    private Bundle bundle(boolean withCpuNatives) {
        return new Bundle(folder, JDK, withCpuNatives, true);
    }

    private void jar(String name) throws IOException {
        Files.createDirectories(folder.resolve("lib"));
        Files.writeString(folder.resolve("lib").resolve(name), "");
    }

    private static List<String> names(List<Path> files) {
        return files.stream().map(file -> file.getFileName().toString()).toList();
    }

    @Test
    void theCpusNativesAreLeftOutUnlessAskedFor() throws IOException {
        for (String jar : List.of(
                "tui.jar", "dnnl.jar", "dnnl-linux-x86_64.jar", "opencl-linux-x86_64.jar", "leptonica-linux-x86_64.jar", "jcuda-natives-linux-x86_64.jar",
                "kiln-1.jsa")) {
            jar(jar);
        }
        assertThat(names(bundle(false).jars())).containsExactly(
                "dnnl.jar", "jcuda-natives-linux-x86_64.jar", "leptonica-linux-x86_64.jar", "tui.jar");
        assertThat(names(bundle(true).jars())).hasSize(6).contains("dnnl-linux-x86_64.jar").doesNotContain("kiln-1.jsa");
    }

    @Test
    void withoutABuildOrAWholeJdkItSaysWhatToDo() throws IOException {
        assertThatThrownBy(() -> bundle(false).jars()).isInstanceOf(KilnException.class).hasMessageContaining("no build in");
        Path archive = folder.resolve("out/x.tar.gz");
        assertThatThrownBy(() -> new Bundle(folder, folder, false, true).write(archive, what -> {}))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.NOT_FOUND))
                .hasMessageContaining(folder + " has no jlink");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void theNameTellsVersionAndSystem() {
        assertThat(Bundle.name()).matches("kiln-[0-9][^-]*-[a-z]+-[a-z0-9_]+");
    }

    @Test
    void kilnsOwnNeedsAllCountAndLibrariesLargeOptionalOnesDoNot() {
        String summary = """
                Warning: split package: picocli file:///lib/picocli.jar /lib/picocli.jar
                com.fasterxml.jackson.databind -> com.fasterxml.jackson.core
                com.fasterxml.jackson.databind -> java.sql
                com.googlecode.lanterna -> java.desktop
                jcuda.jar -> java.logging
                org.bytedeco.javacpp -> jdk.unsupported
                org.bytedeco.javacpp -> not found
                runtime.jar -> java.xml
                tui.jar -> /lib/runtime.jar
                tui.jar -> jdk.management
                """;
        assertThat(ModuleNeeds.of(summary, Set.of("tui.jar", "runtime.jar")))
                .containsExactly("java.base", "java.logging", "java.xml", "jdk.management", "jdk.unsupported");
    }

    @Test
    void kilnsOwnClassesNeedNoDesktop() throws IOException {
        assumeThat(Files.isExecutable(JDK.resolve("bin/jdeps"))).as("a whole JDK").isTrue();
        Path classes = Path.of("target/classes").toAbsolutePath();
        assertThat(new TrimmedJava(JDK).modules(List.of(classes), Set.of("classes")))
                .contains("java.base", "java.management")
                .doesNotContain("java.desktop", "java.sql");
    }

    @Test
    void aTrimmedJavaRunsAndHasAnArchiveOfItsClasses() throws IOException, InterruptedException {
        assumeThat(Files.isExecutable(JDK.resolve("bin/jlink"))).as("a whole JDK").isTrue();
        Path java = folder.resolve("a folder/java");
        Files.createDirectories(java.getParent());
        new TrimmedJava(JDK).link(Set.of("java.base"), java, FileTime.fromMillis(1_767_225_600_000L));
        Process process = new ProcessBuilder(java.resolve("bin/java").toString(), "-XX:+UseSerialGC", "-Xshare:on", "--list-modules")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.lines()).hasSize(1).allMatch(line -> line.startsWith("java.base"));
        assertThat(GlibcVersion.neededBy(List.of(java.resolve("lib/server/libjvm.so")))).matches("2\\.\\d+");
    }

    @Test
    void aReducedJarLacksOnlyWhatItShall() throws IOException {
        Path jar = folder.resolve("x.jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (String name : List.of("lib/libA.so", "lib/libB.so")) {
                out.putNextEntry(new ZipEntry(name));
                out.write(name.getBytes(StandardCharsets.UTF_8));
                out.closeEntry();
            }
        }
        Path reduced = folder.resolve("y.jar");
        ReducedJar.write(jar, reduced, name -> !name.contains("libB"));
        try (ZipFile zip = new ZipFile(reduced.toFile())) {
            assertThat(zip.size()).isEqualTo(1);
            assertThat(zip.getInputStream(zip.getEntry("lib/libA.so")).readAllBytes()).asString().isEqualTo("lib/libA.so");
        }
    }

    @Test
    void theNewestVersionOfTheCLibraryCounts() throws IOException {
        Path first = Files.writeString(folder.resolve("a"), "\0GLIBC_2.4\0GLIBC_2.17\0GLIBC_PRIVATE\0");
        Path second = Files.writeString(folder.resolve("b"), "GLIBC_2.99 in a text\0GLIBC_2.9\0");
        assertThat(GlibcVersion.neededBy(List.of(first, second))).isEqualTo("2.17");
        assertThat(GlibcVersion.neededBy(List.of())).isNull();
    }
}
