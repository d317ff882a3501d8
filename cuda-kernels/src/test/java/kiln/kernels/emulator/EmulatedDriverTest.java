package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.ReverseKernel;
import org.junit.jupiter.api.Test;

/** What the emulated driver does beyond the contract of all drivers. */
class EmulatedDriverTest {
    private static final EmulatedCard CARD = EmulatedCard.ofBytes(1 << 20);

    /** Two streams: one writes 1, 2, 3 … to a byte, the other copies it out after each. Which values come out, by seed. */
    private static List<Integer> copiedOut(long seed, boolean ordered) {
        try (CudaContext context = new EmulatedDriver(CARD.withLazyStreams(seed)).open(0)) {
            long address = context.allocate(1, "a byte");
            CudaContext.PinnedMemory host = context.allocatePinned(16, "results");
            CudaContext.Stream writer = context.createStream();
            CudaContext.Stream reader = context.createStream();
            context.fill(address, (byte) 0, 1, writer);
            context.synchronize(writer);
            for (int i = 0; i < 16; i++) {
                context.fill(address, (byte) (i + 1), 1, writer);
                if (ordered) {
                    CudaContext.Event written = context.createEvent(false);
                    context.record(written, writer);
                    context.waitFor(written, reader);
                }
                context.copyToHost(address, host, i, 1, reader);
                if (ordered) {
                    CudaContext.Event read = context.createEvent(false);
                    context.record(read, reader);
                    context.waitFor(read, writer);
                }
            }
            context.synchronize(reader);
            List<Integer> values = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                values.add((int) host.bytes().get(i));
            }
            return values;
        }
    }

    @Test
    void lazyStreamsKeepToEventsAndToNothingElse() {
        List<Integer> inOrder = List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        int broken = 0;
        for (int seed = 0; seed < 20; seed++) {
            assertThat(copiedOut(seed, true)).as("seed %d", seed).isEqualTo(inOrder);
            assertThat(copiedOut(seed, false)).as("seed %d, again", seed).isEqualTo(copiedOut(seed, false));
            broken += copiedOut(seed, false).equals(inOrder) ? 0 : 1;
        }
        assertThat(broken).isEqualTo(20);
    }

    @Test
    void whatQueuedWorkUsesCannotBeFreed() {
        EmulatedDriver driver = new EmulatedDriver(CARD.withLazyStreams(1));
        try (CudaContext context = driver.open(0)) {
            long address = context.allocate(64, "activations");
            CudaContext.PinnedMemory host = context.allocatePinned(64, "results");
            CudaContext.Stream stream = context.createStream();
            context.fill(address, (byte) 1, 64, stream);
            context.copyToHost(address, host, 0, 64, stream);
            assertThatThrownBy(() -> context.free(address)).isInstanceOf(IllegalStateException.class).hasMessageContaining("activations while a fill on stream 1");
            assertThatThrownBy(() -> context.free(host)).isInstanceOf(IllegalStateException.class).hasMessageContaining("results while a copy");
            context.synchronize(stream);
            context.free(address);
            context.free(host);
        }
        assertThat(driver.record().leftovers()).isEmpty();
    }

    @Test
    void whatAContextLeavesIsTold() {
        EmulatedDriver driver = new EmulatedDriver(CARD);
        CudaContext context = driver.open(0);
        context.allocate(100, "weights");
        context.allocatePinned(10, "staging");
        assertThat(driver.record().liveBytes()).isEqualTo(100);
        assertThat(driver.record().pinnedBytes()).isEqualTo(10);
        context.close();
        assertThat(driver.record().leftovers())
                .containsExactly("100 bytes of device memory for weights", "10 bytes of pinned memory for staging");
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.devices().get(0).freeBytes()).isEqualTo(1 << 20);
    }

    @Test
    void aCallFailsWhenItWasToldToAndNeverAgain() {
        EmulatedDriver driver = new EmulatedDriver(CARD);
        driver.record().fail(DriverCall.ALLOCATE, 2, "CUDA_ERROR_OUT_OF_MEMORY");
        driver.record().fail(DriverCall.SYNCHRONIZE, 1, "CUDA_ERROR_ILLEGAL_ADDRESS");
        try (CudaContext context = driver.open(0)) {
            long first = context.allocate(1 << 19, "weights");
            assertThatThrownBy(() -> context.allocate(1 << 18, "activations"))
                    .isInstanceOf(CudaException.class)
                    .hasMessage("CUDA_ERROR_OUT_OF_MEMORY while reserving 0.3 MiB for activations: 0.5 MiB are free");
            context.free(context.allocate(1 << 18, "activations"));
            CudaContext.Stream stream = context.createStream();
            assertThatThrownBy(() -> context.synchronize(stream)).hasMessage("CUDA_ERROR_ILLEGAL_ADDRESS while waiting for the device");
            context.synchronize(stream);
            context.free(first);
            assertThat(driver.record().calls(DriverCall.ALLOCATE)).isEqualTo(3);
            assertThat(driver.record().peakBytes()).isEqualTo((1 << 19) + (1 << 18));
        }
    }

    @Test
    void memoryThatNothingWroteDoesNotReachTheHost() {
        try (CudaContext context = new EmulatedDriver(CARD).open(0)) {
            long address = context.allocate(64, "activations");
            CudaContext.PinnedMemory host = context.allocatePinned(64, "results");
            CudaContext.Stream stream = context.createStream();
            context.fill(address, (byte) 1, 63, stream);
            assertThatThrownBy(() -> context.copyToHost(address, host, 0, 64, stream)).isInstanceOf(KernelFault.class).hasMessageContaining("never written");
        }
    }

    @Test
    void aBlockMayNotHaveMoreSharedMemoryThanTheCardHasForIt() {
        ReverseKernel kernel = new ReverseKernel(64, 80 << 10);
        try (CudaContext context = new EmulatedDriver(CARD.withCapability(86)).open(0)) {
            context.unload(context.load(kernel));
        }
        try (CudaContext context = new EmulatedDriver(CARD.withCapability(75)).open(0)) {
            assertThatThrownBy(() -> context.load(kernel)).isInstanceOf(CudaException.class).hasMessageContaining("81920 bytes of shared memory");
        }
    }
}
