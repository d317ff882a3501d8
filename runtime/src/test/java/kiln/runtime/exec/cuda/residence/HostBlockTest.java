package kiln.runtime.exec.cuda.residence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import kiln.kernels.CudaContext;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostBlockTest {
    private static final long PIECE = 1000;

    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(1 << 20));
    private final CudaContext context = driver.open(0);
    private long available = Long.MAX_VALUE;
    private final HostBlock block = new HostBlock(context, PIECE, () -> available);

    @AfterEach
    void nothingIsLeft() {
        block.close();
        assertThat(driver.record().livePinned()).isZero();
        context.close();
    }

    @Test
    void itIsAsLargeAsItsLargestUserWantsAndGoesWithTheLast() {
        Object small = new Object();
        Object large = new Object();
        block.reserve(small, "decoder", 300);
        block.reserve(large, "decoder", 2500);
        block.reserve(small, "decoder", 300);
        assertThat(driver.record().pinnedBytes()).isEqualTo(2500);
        assertThat(driver.record().livePinned()).isEqualTo(3);
        block.release(large);
        assertThat(driver.record().pinnedBytes()).isEqualTo(2500);
        block.release(small);
        assertThat(driver.record().pinnedBytes()).isZero();
    }

    @Test
    void copiesMayLieAcrossPieces() {
        block.reserve(this, "decoder", 3 * PIECE);
        CudaContext.Stream stream = context.createStream();
        long from = context.allocate(2048, "results");
        long to = context.allocate(2048, "results");
        context.fill(from, (byte) 7, 2048, stream);
        context.fill(to, (byte) 1, 2048, stream);
        block.copyToHost(from, 900, 2000, stream);
        block.copyToDevice(901, to, 1999, stream);
        CudaContext.PinnedMemory seen = context.allocatePinned(2048, "test");
        context.copyToHost(to, seen, 0, 2048, stream);
        context.synchronize(stream);
        for (int i = 0; i < 2048; i++) {
            assertThat(seen.bytes().get(i)).as("byte %d", i).isEqualTo((byte) (i < 1999 ? 7 : 1));
        }
        context.free(seen);
        context.free(from);
        context.free(to);
        context.destroy(stream);
    }

    @Test
    void moreThanTheMachineHasIsRefusedBeforeItIsTaken() {
        available = 2000;
        assertThatThrownBy(() -> block.reserve(this, "decoder", 1900))
                .isInstanceOf(KilnException.class)
                .hasMessage("in bands the decoder needs 1.9 KiB of pinned host memory, and 1.8 KiB could be had: draw a smaller picture, or free memory"
                        + " of the machine or the card");
        assertThat(driver.record().calls(DriverCall.ALLOCATE_PINNED)).isZero();
    }

    @Test
    void whatTheDriverRefusesIsGivenBackWithWhatWasTakenBefore() {
        driver.record().fail(DriverCall.ALLOCATE_PINNED, 3, "CUDA_ERROR_OUT_OF_MEMORY");
        assertThatThrownBy(() -> block.reserve(this, "decoder", 4 * PIECE))
                .isInstanceOf(KilnException.class)
                .hasMessageStartingWith("CUDA_ERROR_OUT_OF_MEMORY while reserving")
                .hasMessageContaining("needs 3.9 KiB of pinned host memory, and 2.0 KiB could be had");
        assertThat(driver.record().livePinned()).isZero();
    }
}
