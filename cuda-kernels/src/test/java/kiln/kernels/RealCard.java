package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The card of the machine that tests run on. */
public final class RealCard {
    private RealCard() {}

    /**
     * The production driver; without a card the test that asks is skipped, with the reason.
     *
     * @param folder for JCuda's native library
     */
    public static CudaDriver driver(Path folder) throws IOException {
        Path natives = folder.resolve("natives");
        CudaDevices found = CudaDevices.probe(natives);
        Assumptions.assumeFalse(found.devices().isEmpty(), found.reason());
        return CudaDriver.load(natives);
    }
}
