package kiln.tui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.tui.cli.commands.Commands;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start script beside a stand-in for Java that prints its arguments; nothing is built. */
class StartScriptTest {
    @TempDir
    private Path folder;

    private Path script;

    @BeforeEach
    void copyScript() throws IOException {
        Path home = Files.createDirectories(folder.resolve("a folder/Öfen"));
        script = Files.copy(Path.of("..").resolve("kiln"), home.resolve("kiln"));
        Files.createDirectory(home.resolve("lib"));
        Files.writeString(home.resolve("lib/tui.jar"), "");
        Files.writeString(home.resolve("lib/b.jar"), "");
    }

    private record Result(int exitCode, String out, String err) {}

    private Path java(String version) throws IOException {
        Path home = folder.resolve("java " + version);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Us\"\nJAVA_VERSION=\"" + version + "\"\n");
        Path java = home.resolve("bin/java");
        Files.writeString(java, "#!/bin/sh\nprintf '<%s>\\n' \"$@\"\nexit 9\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
        return home;
    }

    private Result start(Path startScript, Map<String, String> variables, String... arguments) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder("sh", startScript.toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().keySet().removeIf(name -> name.startsWith("KILN_") || name.equals("OMP_NUM_THREADS"));
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        builder.environment().putAll(variables);
        Process process = builder.directory(folder.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        int exitCode = process.waitFor();
        return new Result(exitCode, Files.readString(out, StandardCharsets.UTF_8), Files.readString(err, StandardCharsets.UTF_8));
    }

    @Test
    void passesArgumentsAndTheExitCodeThroughLinksAndFoldersWithBlanks() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(folder.resolve("link to kiln"), Path.of("a folder/Öfen/kiln"));
        Result result = start(link, Map.of("JAVA_HOME", java("17.0.1").toString()), "txt2img", "-p", "a  'b' $c", "");
        assertThat(result.err()).isEmpty();
        assertThat(result.exitCode()).isEqualTo(9);
        assertThat(result.out()).endsWith("<kiln.tui.Main>\n<txt2img>\n<-p>\n<a  'b' $c>\n<>\n");
        Path home = script.getParent().toRealPath();
        assertThat(result.out()).contains("<-Dkiln.home=" + home + ">").contains("<" + home + "/lib/b.jar:" + home + "/lib/tui.jar>");
        assertThat(result.out()).contains("<-Djava.awt.headless=true>").contains("<-Dkiln.tty=>").doesNotContain("Tiered");
    }

    @Test
    void optionsThatOnlyNewerJavasKnowAreGivenToThemAlone() throws IOException, InterruptedException {
        String old = start(script, Map.of("JAVA_HOME", java("17").toString()), "models").out();
        String young = start(script, Map.of("JAVA_HOME", java("25.0.3").toString()), "models").out();
        assertThat(old).doesNotContain("--enable-native-access").doesNotContain("--sun-misc-unsafe");
        assertThat(young).contains("<--enable-native-access=ALL-UNNAMED>").contains("<--sun-misc-unsafe-memory-access=allow>");
    }

    @Test
    void aBundlesOwnJavaGoesBeforeAnyOther() throws IOException, InterruptedException {
        Files.move(java("21.0.1"), script.resolveSibling("java"));
        Result result = start(script, Map.of("JAVA_HOME", java("17").toString()), "models");
        assertThat(result.exitCode()).isEqualTo(9);
        Path own = script.resolveSibling("java/bin/java");
        Files.writeString(own, "#!/bin/sh\necho own\n");
        assertThat(start(script, Map.of("JAVA_HOME", "/nowhere", "PATH", "/usr/bin:/bin"), "models").out()).isEqualTo("own\n");
    }

    @Test
    void aJavaThatIsTooOldIsNamedWithWhatToDo() throws IOException, InterruptedException {
        Path old = java("1.8.0_292");
        Result result = start(script, Map.of("JAVA_HOME", old.toString(), "PATH", old + "/bin:" + System.getenv("PATH")), "version");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.err()).contains("Java 17 or newer, found Java 8 at " + old).contains("JAVA_HOME").doesNotContain("\nkiln");
    }

    @Test
    void javaOptionsAndThreadsAreHanded() throws IOException, InterruptedException {
        Path home = java("17");
        Files.writeString(home.resolve("bin/java"), "#!/bin/sh\necho \"threads $OMP_NUM_THREADS\" \"$@\"\n");
        Map<String, String> variables = Map.of("JAVA_HOME", home.toString(), "KILN_JAVA_OPTS", "-Xmx1g -Da=b");
        assertThat(start(script, variables, "models", "--threads", "3").out()).startsWith("threads 3 ").contains(" -Xmx1g -Da=b ");
        assertThat(start(script, variables, "models", "--threads=4").out()).startsWith("threads 4 ");
        assertThat(start(script, variables, "models").out()).containsPattern("^threads [1-9]");
        Map<String, String> more = new HashMap<>(variables);
        more.put("COMMANDLINE_ARGS", "--medvram --threads 5 * --api");
        assertThat(start(script, more, "models", "--threads=4").out()).startsWith("threads 5 ").endsWith(" models --threads=4\n");
    }

    @Test
    void everyCommandIsKnownToBeNone() throws IOException {
        assertThat(Files.readString(script)).contains("        " + String.join(" | ", Commands.NAMES) + " | help | -h | ");
    }

    @Test
    void withoutABuildAndWithoutSourcesItSaysSo() throws IOException, InterruptedException {
        Files.delete(script.resolveSibling("lib/tui.jar"));
        Result result = start(script, Map.of("JAVA_HOME", java("17").toString()), "version");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.err()).startsWith("kiln: is not built");
    }
}
