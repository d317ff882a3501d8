package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kiln.kernels.emulator.StandInLibrary;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The environment variables that make the stand-in's card; each run is a JVM of its own, which finds the library as Kiln does. */
class StandInSettingsTest {
    private static final Path FOLDER = Path.of("target", "stand-in").toAbsolutePath();

    /** What runs there. */
    static final class Program {
        public static void main(String[] arguments) throws IOException {
            CudaDriver driver;
            try {
                driver = CudaDriver.load(FOLDER.resolve("natives"));
            } catch (CudaException e) {
                System.out.println(e.getMessage());
                return;
            }
            for (CudaDevices.Device device : driver.devices()) {
                System.out.println(device.index() + " " + device.capability() + " " + (device.totalBytes() >> 20) + " " + (device.freeBytes() >> 20));
            }
            try (CudaContext context = driver.open(0)) {
                for (int i = 0; i < 3; i++) {
                    try {
                        context.allocate(1 << 20, "try " + i);
                        System.out.println("allocated");
                    } catch (CudaException e) {
                        System.out.println(e.getMessage());
                    }
                }
            }
        }
    }

    @BeforeEach
    void requireCompiler() {
        String obstacle = StandInLibrary.obstacle();
        Assumptions.assumeTrue(obstacle == null, obstacle);
    }

    private static List<String> run(Map<String, String> variables) throws IOException, InterruptedException {
        StandInLibrary.compile(FOLDER.resolve("settings"));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(java, "-Xmx256m", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), Program.class.getName());
        builder.environment().put("LD_LIBRARY_PATH", FOLDER.resolve("settings").toString());
        builder.environment().putAll(variables);
        // A newer Java warns there of native libraries.
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text.lines().toList();
    }

    @Test
    void withoutAnyItIsOneCardOfTwoGibibytes() throws Exception {
        assertThat(run(Map.of())).containsExactly("0 8.6 2048 2048", "allocated", "allocated", "allocated");
    }

    @Test
    void cardsHaveTheirOwnSizesAndCapabilities() throws Exception {
        assertThat(run(Map.of("EMULATED_DEVICES", "3", "EMULATED_VRAM_MB", "1024,4096", "EMULATED_CONTEXT_MB", "100", "EMULATED_CAPABILITY", "7.5, 61,9.0")))
                .startsWith("0 7.5 1024 924", "1 6.1 4096 3996", "2 9.0 4096 3996");
    }

    @Test
    void noCardIsADriverThatDoesNotStart() throws Exception {
        assertThat(run(Map.of("EMULATED_DEVICES", "0"))).containsExactly("CUDA_ERROR_NO_DEVICE while starting the CUDA driver");
    }

    @Test
    void callsFailInTheirOrder() throws Exception {
        assertThat(run(Map.of("EMULATED_FAIL", "cuMemAlloc:2=2,cuMemAlloc:3=999")))
                .endsWith("allocated", "CUDA_ERROR_OUT_OF_MEMORY while reserving 1.0 MiB for try 1: 2047.0 MiB are free",
                        "CUDA_ERROR_UNKNOWN while reserving 1.0 MiB for try 2: 2047.0 MiB are free");
    }
}
