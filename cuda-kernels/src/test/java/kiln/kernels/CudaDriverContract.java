package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.kernels.cases.KernelLibrary;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link CudaDriver} does. */
abstract class CudaDriverContract {
    private static final long SEED = 20261124;

    private CudaContext context;
    private CudaContext.Stream stream;

    /** The same one for all tests. */
    abstract CudaDriver driver();

    @BeforeEach
    void open() {
        context = driver().open(0);
        stream = context.createStream();
    }

    @AfterEach
    void close() {
        context.close();
    }

    private byte[] random(int bytes) {
        byte[] values = new byte[bytes];
        new Random(SEED).nextBytes(values);
        return values;
    }

    /** A pinned copy of the bytes. */
    private CudaContext.PinnedMemory pinned(byte[] values) {
        CudaContext.PinnedMemory memory = context.allocatePinned(values.length, "test data");
        memory.bytes().put(0, values);
        return memory;
    }

    private byte[] onDevice(long address, int bytes) {
        CudaContext.PinnedMemory memory = context.allocatePinned(bytes, "results");
        context.copyToHost(address, memory, 0, bytes, stream);
        context.synchronize(stream);
        byte[] values = new byte[bytes];
        memory.bytes().get(0, values);
        context.free(memory);
        return values;
    }

    // Devices and memory.

    @Test
    void devicesAreListedInOrderAndTheContextKnowsItsOwn() {
        List<CudaDevices.Device> devices = driver().devices();
        assertThat(devices).isNotEmpty();
        for (int i = 0; i < devices.size(); i++) {
            assertThat(devices.get(i).index()).isEqualTo(i);
            assertThat(devices.get(i).name()).isNotBlank();
            assertThat(devices.get(i).major()).isBetween(5, 20);
            assertThat(devices.get(i).freeBytes()).isPositive().isLessThanOrEqualTo(devices.get(i).totalBytes());
        }
        assertThat(context.device().index()).isZero();
        assertThat(context.device().name()).isEqualTo(devices.get(0).name());
        assertThat(context.device().capability()).isEqualTo(devices.get(0).capability());
    }

    @Test
    void aDeviceThatIsNotThereIsRefused() {
        int count = driver().devices().size();
        assertThatThrownBy(() -> driver().open(count))
                .isInstanceOf(CudaException.class)
                .hasMessage("CUDA_ERROR_INVALID_DEVICE while looking for device " + count);
    }

    @Test
    void whatIsAllocatedIsMissingFromFreeMemoryUntilItIsFreed() {
        CudaContext.MemoryInfo before = context.memoryInfo();
        long bytes = 64L << 20;
        long address = context.allocate(bytes, "activations");
        assertThat(address % 256).isZero();
        assertThat(before.totalBytes()).isEqualTo(context.device().totalBytes());
        assertThat(context.memoryInfo().freeBytes()).isLessThanOrEqualTo(before.freeBytes() - bytes);
        context.free(address);
        assertThat(context.memoryInfo().freeBytes()).isEqualTo(before.freeBytes());
    }

    @Test
    void tooMuchMemoryIsRefusedWithWhatWasNeededAndWhatIsFree() {
        long bytes = context.memoryInfo().totalBytes() + (1 << 20);
        assertThatThrownBy(() -> context.allocate(bytes, "activations"))
                .isInstanceOfSatisfying(CudaException.class, e -> assertThat(e.isOutOfMemory()).isTrue())
                .hasMessageMatching("CUDA_ERROR_OUT_OF_MEMORY while reserving [0-9.]+ MiB for activations: [0-9.]+ MiB are free");
        context.free(context.allocate(1 << 20, "activations"));
    }

    @Test
    void memoryIsFreedOnceAndOnlyAsAWhole() {
        long address = context.allocate(1024, "activations");
        assertThatThrownBy(() -> context.free(address + 256)).isInstanceOf(CudaException.class).hasMessageStartingWith("CUDA_ERROR_INVALID_VALUE while freeing");
        context.free(address);
        assertThatThrownBy(() -> context.free(address)).isInstanceOf(CudaException.class).hasMessageStartingWith("CUDA_ERROR_INVALID_VALUE while freeing");
    }

    @Test
    void noBytesCannotBeAllocated() {
        assertThatThrownBy(() -> context.allocate(0, "nothing")).isInstanceOf(CudaException.class).hasMessageStartingWith("CUDA_ERROR_INVALID_VALUE");
    }

    // Copies.

    @Test
    void bytesComeBackAsTheyWent() {
        byte[] values = random(100_003);
        CudaContext.PinnedMemory source = pinned(values);
        assertThat(source.bytes().order()).isEqualTo(java.nio.ByteOrder.LITTLE_ENDIAN);
        long first = context.allocate(values.length, "first");
        long second = context.allocate(values.length, "second");
        context.copyToDevice(source, 0, first, values.length, stream);
        context.copyOnDevice(first, second, values.length, stream);
        assertThat(onDevice(second, values.length)).isEqualTo(values);
    }

    @Test
    void partsAreCopiedAndFilledAtTheirPlaces() {
        byte[] values = random(1000);
        CudaContext.PinnedMemory source = pinned(values);
        long address = context.allocate(2000, "target");
        context.fill(address, (byte) 7, 2000, stream);
        context.copyToDevice(source, 100, address + 50, 300, stream);
        context.copyOnDevice(address + 50, address + 1000, 200, stream);
        context.fill(address + 1999, (byte) -1, 1, stream);
        context.copyToHost(address + 60, source, 900, 100, stream);
        byte[] expected = new byte[2000];
        java.util.Arrays.fill(expected, (byte) 7);
        System.arraycopy(values, 100, expected, 50, 300);
        System.arraycopy(values, 100, expected, 1000, 200);
        expected[1999] = -1;
        assertThat(onDevice(address, 2000)).isEqualTo(expected);
        byte[] back = new byte[100];
        source.bytes().get(900, back);
        assertThat(back).isEqualTo(java.util.Arrays.copyOfRange(values, 110, 210));
    }

    @Test
    void aCopyBeyondPinnedMemoryIsRefusedBeforeTheDriverSeesIt() {
        CudaContext.PinnedMemory source = pinned(random(100));
        long address = context.allocate(200, "target");
        assertThatThrownBy(() -> context.copyToDevice(source, 50, address, 51, stream)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> context.copyToHost(address, source, -1, 10, stream)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aCopyBeyondDeviceMemoryIsRefused() {
        CudaContext.PinnedMemory source = pinned(random(1000));
        // A real card's allocations may be larger inside than was asked for; memory that was freed belongs to none.
        long address = context.allocate(64L << 20, "target");
        context.free(address);
        assertThatThrownBy(() -> context.copyToDevice(source, 0, address, 1000, stream))
                .isInstanceOf(CudaException.class)
                .hasMessageStartingWith("CUDA_ERROR_INVALID_VALUE while copying to the device");
    }

    // Kernels.

    private static byte[] bytes(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(words.length * 4).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            buffer.putInt(word);
        }
        return buffer.array();
    }

    @Test
    void aKernelWithSharedMemoryOfTheLaunchRuns() {
        for (int shared : new int[] {256, 60 << 10}) {
            if (shared > SharedMemoryLimits.ofBlock(context.device().capabilityTimesTen())) {
                continue;
            }
            ReverseKernel kernel = new ReverseKernel(64, shared);
            int[] words = new Random(SEED).ints(64).toArray();
            CudaContext.PinnedMemory source = pinned(bytes(words));
            long address = context.allocate(256, "words");
            context.copyToDevice(source, 0, address, 256, stream);
            CudaContext.LoadedKernel loaded = context.load(kernel);
            context.launch(loaded, new KernelCall(kernel, 1, address), stream);
            int[] reversed = new int[64];
            for (int i = 0; i < 64; i++) {
                reversed[i] = words[63 - i];
            }
            assertThat(onDevice(address, 256)).isEqualTo(bytes(reversed));
            context.unload(loaded);
        }
    }

    @Test
    void everyKernelOfTheLibraryForThisCardLoads() {
        int capability = context.device().capabilityTimesTen();
        List<CudaContext.LoadedKernel> loaded = new ArrayList<>();
        for (Kernel kernel : KernelLibrary.all()) {
            if (kernel.target().runsOn(capability)) {
                loaded.add(context.load(kernel));
            }
        }
        loaded.forEach(context::unload);
        assertThat(loaded).isNotEmpty();
    }

    /** Kernel whose text is given. */
    private record TextKernel(String name, String ptx) implements Kernel {
        @Override
        public String variant() {
            return "text";
        }

        @Override
        public int threads() {
            return 32;
        }

        @Override
        public int registerBudget() {
            return 32;
        }
    }

    @Test
    void aTextThatDoesNotAssembleIsRefusedInOneLine() {
        Kernel kernel = new TextKernel("broken", ".version 6.0\n.target sm_50\n.address_size 64\n.visible .entry broken()\n{\n    flub.u32 %r1;\n    ret;\n}\n");
        assertThatThrownBy(() -> context.load(kernel))
                .isInstanceOf(CudaException.class)
                .hasMessageStartingWith("CUDA_ERROR_INVALID_PTX while loading the kernel broken (text): ")
                .hasMessageContaining("flub")
                .message()
                .doesNotContain("\n");
    }

    @Test
    void anEntryThatTheTextDoesNotHaveIsNotFound() {
        Kernel kernel = new TextKernel("other", new ReverseKernel(32, 128).ptx());
        assertThatThrownBy(() -> context.load(kernel)).isInstanceOf(CudaException.class).hasMessage("CUDA_ERROR_NOT_FOUND while loading the kernel other (text)");
    }

    @Test
    void aCallOfAnotherKernelIsRefused() {
        CudaContext.LoadedKernel loaded = context.load(new ReverseKernel(32, 128));
        KernelCall call = new KernelCall(new ReverseKernel(64, 256), 1, 0L);
        assertThatThrownBy(() -> context.launch(loaded, call, stream)).isInstanceOf(IllegalArgumentException.class);
    }

    // Order.

    @Test
    void aStreamWaitsForWhatAnEventMarks() {
        byte[] values = random(1 << 16);
        CudaContext.PinnedMemory source = pinned(values);
        CudaContext.PinnedMemory target = context.allocatePinned(values.length, "results");
        long address = context.allocate(values.length, "between");
        CudaContext.Stream other = context.createStream();
        CudaContext.Event written = context.createEvent(false);
        CudaContext.Event read = context.createEvent(false);
        for (int pass = 0; pass < 20; pass++) {
            context.fill(address, (byte) pass, values.length, stream);
            context.copyToDevice(source, pass, address, values.length - pass, stream);
            context.record(written, stream);
            context.waitFor(written, other);
            context.copyToHost(address, target, 0, values.length, other);
            context.record(read, other);
            context.waitFor(read, stream);
            if (pass % 7 == 0) {
                context.synchronize(read);
                assertThat(context.isReached(written)).isTrue();
                assertThat(target.bytes().get(0)).isEqualTo(values[pass]);
                assertThat(target.bytes().get(1000)).isEqualTo(values[pass + 1000]);
            }
        }
        context.synchronize(other);
        assertThat(target.bytes().get(values.length - 1)).isEqualTo((byte) 19);
        context.destroy(written);
        context.destroy(read);
        context.destroy(other);
    }

    @Test
    void anEventThatWasNeverRecordedHoldsNothingUp() {
        CudaContext.Event event = context.createEvent(false);
        assertThat(context.isReached(event)).isTrue();
        context.waitFor(event, stream);
        context.synchronize(event);
        context.synchronize(stream);
    }

    @Test
    void timedEventsMeasureAndOthersDoNot() {
        CudaContext.Event begin = context.createEvent(true);
        CudaContext.Event end = context.createEvent(true);
        CudaContext.Event untimed = context.createEvent(false);
        assertThatThrownBy(() -> context.milliseconds(begin, end)).isInstanceOf(CudaException.class).hasMessage("CUDA_ERROR_INVALID_HANDLE while measuring time");
        long address = context.allocate(1 << 20, "activations");
        context.record(begin, stream);
        context.fill(address, (byte) 1, 1 << 20, stream);
        context.record(end, stream);
        context.record(untimed, stream);
        context.synchronize(end);
        assertThat(context.milliseconds(begin, end)).isNotNegative();
        context.synchronize(untimed);
        assertThatThrownBy(() -> context.milliseconds(begin, untimed)).isInstanceOf(CudaException.class).hasMessageStartingWith("CUDA_ERROR_INVALID_HANDLE");
    }

    // Graphs.

    @Test
    void aGraphDoesAgainWhatWasCapturedAndNotBefore() {
        ReverseKernel kernel = new ReverseKernel(64, 256);
        CudaContext.LoadedKernel loaded = context.load(kernel);
        int[] words = new Random(SEED).ints(64).toArray();
        CudaContext.PinnedMemory source = pinned(bytes(words));
        long address = context.allocate(256, "words");
        context.fill(address, (byte) 5, 256, stream);
        CudaContext.Graph graph = context.capture(stream, () -> {
            context.copyToDevice(source, 0, address, 256, stream);
            context.launch(loaded, new KernelCall(kernel, 1, address), stream);
        });
        assertThat(onDevice(address, 256)).containsOnly(5);
        for (int pass = 0; pass < 2; pass++) {
            int[] reversed = new int[64];
            for (int i = 0; i < 64; i++) {
                words[i] += pass;
                reversed[63 - i] = words[i];
            }
            source.bytes().put(0, bytes(words));
            context.launch(graph, stream);
            assertThat(onDevice(address, 256)).isEqualTo(bytes(reversed));
        }
        context.destroy(graph);
        context.unload(loaded);
    }

    @Test
    void aStreamThatWaitsForACapturedEventTakesPart() {
        long address = context.allocate(1024, "activations");
        CudaContext.Stream other = context.createStream();
        CudaContext.Event forked = context.createEvent(false);
        CudaContext.Event joined = context.createEvent(false);
        context.fill(address, (byte) 0, 1024, stream);
        CudaContext.Graph graph = context.capture(stream, () -> {
            context.fill(address, (byte) 1, 512, stream);
            context.record(forked, stream);
            context.waitFor(forked, other);
            context.fill(address + 512, (byte) 1, 512, other);
            context.record(joined, other);
            context.waitFor(joined, stream);
        });
        assertThat(onDevice(address, 1024)).containsOnly(0);
        context.launch(graph, stream);
        assertThat(onDevice(address, 1024)).containsOnly(1);
        context.fill(address, (byte) 2, 1024, other);
        context.synchronize(other);
        assertThat(onDevice(address, 1024)).containsOnly(2);
        context.destroy(graph);
    }

    @Test
    void whatWouldMakeTheDeviceWaitSpoilsACaptureAndNothingElse() {
        long address = context.allocate(1024, "activations");
        assertThatThrownBy(() -> context.capture(stream, () -> context.allocate(1024, "more")))
                .isInstanceOf(CudaException.class)
                .hasMessageStartingWith("CUDA_ERROR_STREAM_CAPTURE_");
        assertThatThrownBy(() -> context.capture(stream, () -> context.synchronize(stream)))
                .isInstanceOf(CudaException.class)
                .hasMessage("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED while waiting for the device");
        assertThatThrownBy(() -> context.capture(stream, () -> assertThatThrownBy(() -> context.synchronize(stream)).isInstanceOf(CudaException.class)))
                .isInstanceOf(CudaException.class)
                .hasMessage("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED while capturing a graph");
        context.fill(address, (byte) 1, 1024, stream);
        assertThat(onDevice(address, 1024)).containsOnly(1);
    }

    @Test
    void whatACaptureThrowsIsThrownAndTheStreamGoesOn() {
        long address = context.allocate(1024, "activations");
        assertThatThrownBy(() -> context.capture(stream, () -> {
                    context.fill(address, (byte) 1, 1024, stream);
                    throw new IllegalStateException("stopped");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("stopped");
        context.fill(address, (byte) 2, 1024, stream);
        assertThat(onDevice(address, 1024)).containsOnly(2);
    }

    // The end.

    @Test
    void aClosedContextSaysSoAndMayBeClosedAgain() {
        long address = context.allocate(1024, "activations");
        context.close();
        assertThatCode(context::close).doesNotThrowAnyException();
        assertThatThrownBy(() -> context.allocate(1, "anything")).isInstanceOf(IllegalStateException.class).hasMessage("the CUDA context is closed");
        assertThatThrownBy(() -> context.free(address)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> context.synchronize(stream)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(context::memoryInfo).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatWasNotFreedGoesWithTheContext() {
        long before = context.memoryInfo().freeBytes();
        context.allocate(64L << 20, "activations");
        context.close();
        context = driver().open(0);
        assertThat(context.memoryInfo().freeBytes()).isGreaterThanOrEqualTo(before);
    }

    @Test
    void aContextWorksFromAnyThread() throws InterruptedException {
        long address = context.allocate(1024, "activations");
        Thread thread = new Thread(() -> {
            context.fill(address, (byte) 3, 1024, stream);
            context.synchronize(stream);
        });
        thread.start();
        thread.join();
        assertThat(onDevice(address, 1024)).containsOnly(3);
    }
}
