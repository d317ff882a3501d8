package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;

/** The production driver: JCuda with its own natives, on the stand-in for libcuda.so.1. */
class StandInDriverContractTest extends CudaDriverContract {
    /** Not a temporary folder: libraries stay loaded until the JVM ends. */
    private static final Path FOLDER = Path.of("target", "stand-in").toAbsolutePath();

    private static CudaDriver driver;

    @BeforeAll
    static void load() throws IOException {
        String obstacle = StandInDriver.obstacle();
        Assumptions.assumeTrue(obstacle == null, obstacle);
        driver = StandInDriver.load(FOLDER);
        assertThat(driver.devices()).hasSize(1);
    }

    @Override
    CudaDriver driver() {
        return driver;
    }
}
