package kiln.kernels;

import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import org.junit.jupiter.api.Nested;

/** The driver that the other modules' tests run on. */
class EmulatedDriverContractTest {
    private static final EmulatedCard CARD = EmulatedCard.ofBytes(256 << 20);

    @Nested
    class Immediate extends CudaDriverContract {
        private final CudaDriver driver = new EmulatedDriver(CARD);

        @Override
        CudaDriver driver() {
            return driver;
        }
    }

    @Nested
    class Lazy extends CudaDriverContract {
        private final CudaDriver driver = new EmulatedDriver(CARD.withLazyStreams(1));

        @Override
        CudaDriver driver() {
            return driver;
        }
    }
}
