package kiln.tui.cli.reports;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
    @TempDir
    private Path root;

    @Test
    void readsWhatLinuxTells() throws IOException {
        Files.createDirectories(root.resolve("proc"));
        Files.createDirectories(root.resolve("sys/fs/cgroup"));
        Files.writeString(root.resolve("proc/cpuinfo"), "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 fma sse2 amx_bf16\n\n"
                + "processor\t: 1\nmodel name\t: Other\nflags\t\t: fpu\n");
        Files.writeString(root.resolve("proc/meminfo"), "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n");
        Files.writeString(root.resolve("sys/fs/cgroup/memory.max"), "512000\n");
        Machine machine = Machine.read(root);
        assertThat(machine.cpu()).isEqualTo("Some CPU @ 2 GHz");
        assertThat(machine.cpuFeatures()).containsExactly("amx_bf16", "avx2", "fma");
        assertThat(machine.memoryBytes()).isEqualTo(1_024_000);
        assertThat(machine.availableBytes()).isEqualTo(614_400);
        assertThat(machine.limitBytes()).isEqualTo(512_000);
    }

    @Test
    void whatIsMissingIsUnknown() {
        Machine machine = Machine.read(root);
        assertThat(machine.cpu()).isEqualTo("unknown");
        assertThat(machine.cpuFeatures()).isEmpty();
        assertThat(machine.memoryBytes()).isEqualTo(-1);
        assertThat(machine.limitBytes()).isEqualTo(-1);
        assertThat(machine.threads()).isPositive();
    }

    @Test
    void noLimitIsNone() throws IOException {
        Files.createDirectories(root.resolve("sys/fs/cgroup/memory"));
        Files.writeString(root.resolve("sys/fs/cgroup/memory.max"), "max\n");
        Files.writeString(root.resolve("sys/fs/cgroup/memory/memory.limit_in_bytes"), "9223372036854771712\n");
        assertThat(Machine.read(root).limitBytes()).isEqualTo(-1);
    }
}
