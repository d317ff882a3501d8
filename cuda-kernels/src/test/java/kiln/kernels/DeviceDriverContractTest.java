package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The production driver on a card. */
@Tag("gpu")
class DeviceDriverContractTest extends CudaDriverContract {
    @TempDir
    private static Path folder;

    private static CudaDriver driver;

    @BeforeAll
    static void load() throws IOException {
        driver = RealCard.driver(folder);
    }

    @Override
    CudaDriver driver() {
        return driver;
    }
}
