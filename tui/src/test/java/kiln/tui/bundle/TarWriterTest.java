package kiln.tui.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarWriterTest {
    private static final long TIME = 1_767_225_600;

    @TempDir
    private Path folder;

    private static String field(byte[] archive, int offset, int length) {
        String text = new String(archive, offset, length, StandardCharsets.UTF_8);
        int end = text.indexOf('\0');
        return end < 0 ? text : text.substring(0, end);
    }

    @Test
    void headersAreThoseOfUstar() throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "hello");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarWriter tar = new TarWriter(out, TIME)) {
            tar.file("a/x", file, true);
        }
        byte[] archive = out.toByteArray();
        assertThat(archive).hasSize(4 * 512);
        assertThat(field(archive, 0, 100)).isEqualTo("a/x");
        assertThat(field(archive, 100, 8)).isEqualTo("0000755");
        assertThat(field(archive, 124, 12)).isEqualTo("00000000005");
        assertThat(field(archive, 136, 12)).isEqualTo("15125334400");
        assertThat(field(archive, 156, 1)).isEqualTo("0");
        assertThat(new String(archive, 257, 8, StandardCharsets.US_ASCII)).isEqualTo("ustar\00000");
        assertThat(field(archive, 512, 512)).isEqualTo("hello");
        int stored = Integer.parseInt(field(archive, 148, 8), 8);
        byte[] header = Arrays.copyOf(archive, 512);
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        assertThat(stored).isEqualTo(sum);
    }

    @Test
    void aLongNameIsDividedAtASlash() throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "");
        String parent = "p".repeat(80);
        String name = "n".repeat(60);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarWriter tar = new TarWriter(out, TIME)) {
            tar.file(parent + "/" + name, file, false);
            assertThatThrownBy(() -> tar.file("n".repeat(101), file, false)).isInstanceOf(IOException.class).hasMessageContaining("too long");
            assertThatThrownBy(() -> tar.file("p".repeat(160) + "/n", file, false)).isInstanceOf(IOException.class);
        }
        assertThat(field(out.toByteArray(), 0, 100)).isEqualTo(name);
        assertThat(field(out.toByteArray(), 345, 155)).isEqualTo(parent);
    }

    @Test
    void theMachinesTarUnpacksIt() throws IOException, InterruptedException {
        assumeThat(Files.isExecutable(Path.of("/bin/tar")) || Files.isExecutable(Path.of("/usr/bin/tar"))).as("a tar program").isTrue();
        Path script = Files.writeString(folder.resolve("script"), "x".repeat(1000));
        Path archive = folder.resolve("a.tar");
        String deep = "root/" + "d".repeat(90) + "/" + "e".repeat(50);
        try (OutputStream out = Files.newOutputStream(archive); TarWriter tar = new TarWriter(out, TIME)) {
            tar.folder("root");
            tar.file("root/Öfen run", script, true);
            tar.link("root/link", "Öfen run");
            tar.file(deep, script, false);
        }
        Process process = new ProcessBuilder("tar", "xf", archive.toString()).directory(folder.toFile()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).isEmpty();
        assertThat(folder.resolve("root/Öfen run")).hasSize(1000).isExecutable();
        assertThat(Files.readSymbolicLink(folder.resolve("root/link"))).isEqualTo(Path.of("Öfen run"));
        assertThat(folder.resolve(deep)).hasSize(1000);
        assertThat(Files.isExecutable(folder.resolve(deep))).isFalse();
        assertThat(Files.getLastModifiedTime(folder.resolve(deep)).toMillis()).isEqualTo(TIME * 1000);
    }
}
