package kiln.runtime.exec.cuda.measure;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.LongUnaryOperator;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Event;
import kiln.kernels.CudaContext.LoadedKernel;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.HalfFloats;
import kiln.kernels.KernelCall;
import kiln.runtime.exec.cuda.program.DeviceCommand;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/**
 * Times launches on a card with its own clock. Memory holds random numbers: on zeros, cards run faster than on data. Parameters come from
 * memory, as in a network, results from the card's cache where it holds them.
 */
final class KernelTimer implements AutoCloseable {
    /** Seconds of one launch. */
    record Time(double median, double least) {}

    /** For one sample, so many launches that they take about this long. */
    private static final double SAMPLE_SECONDS = 1e-3;

    /** No launch is over sooner; an emulated card's clock may stand still. */
    private static final double SHORTEST = 1e-7;

    private static final int MOST_LAUNCHES = 100;
    private static final int SAMPLES = 9;
    private static final long MOST_PARAMETERS = 256L << 20;
    private static final int PINNED_BYTES = 8 << 20;

    private final CudaContext context;
    private final boolean quick;
    private final Stream stream;
    private final Event begin;
    private final Event end;
    private final PinnedMemory pinned;
    private final long arena;
    private final long parameters;
    private final long parametersBytes;

    /**
     * @param workloads that will be timed
     * @param quick whether each is launched only twice, for a card that is only emulated
     */
    KernelTimer(CudaContext context, List<Workload> workloads, boolean quick) {
        this.context = context;
        this.quick = quick;
        stream = context.createStream();
        begin = context.createEvent(true);
        end = context.createEvent(true);
        long most = workloads.stream().mapToLong(Workload::allParameterBytes).max().orElse(0);
        long plenty = quick ? 0 : Math.min(MOST_PARAMETERS, context.memoryInfo().freeBytes() / 4);
        parametersBytes = DeviceWeight.align(Math.max(Math.max(most, 2 * DeviceWeight.ALIGNMENT), plenty));
        long arenaBytes = Math.max(DeviceWeight.ALIGNMENT, workloads.stream().mapToLong(Workload::arenaBytes).max().orElse(0));
        arena = context.allocate(arenaBytes, "results");
        parameters = context.allocate(parametersBytes, "parameters");
        pinned = context.allocatePinned((int) Math.min(PINNED_BYTES, Math.max(arenaBytes, parametersBytes)), "random numbers");
        randomise();
        fill(arena, arenaBytes);
        fill(parameters, parametersBytes);
        context.synchronize(stream);
    }

    private void randomise() {
        Random random = new Random(1);
        for (int at = 0; at + Short.BYTES <= pinned.bytes().capacity(); at += Short.BYTES) {
            // Read as 32-bit floats, pairs of these are numbers below one as well.
            pinned.bytes().putShort(at, HalfFloats.toHalf(2 * random.nextFloat() - 1));
        }
    }

    private void fill(long address, long bytes) {
        for (long at = 0; at < bytes; at += pinned.bytes().capacity()) {
            context.copyToDevice(pinned, 0, address + at, Math.min(pinned.bytes().capacity(), bytes - at), stream);
        }
    }

    /** The kernel is translated for the card first, which is not timed. */
    Time time(Workload workload) {
        LoadedKernel kernel = context.load(workload.call().kernel());
        try {
            double warm = quick ? SAMPLE_SECONDS : sample(kernel, workload, 2);
            int launches = quick ? 1 : (int) Math.max(1, Math.min(MOST_LAUNCHES, SAMPLE_SECONDS / warm));
            double[] seconds = new double[quick ? 1 : SAMPLES];
            for (int i = 0; i < seconds.length; i++) {
                evict();
                seconds[i] = sample(kernel, workload, launches);
            }
            return middle(seconds);
        } finally {
            context.unload(kernel);
        }
    }

    private static Time middle(double[] seconds) {
        Arrays.sort(seconds);
        return new Time(seconds[seconds.length / 2], seconds[0]);
    }

    /** Empties the card's cache; meanwhile launches queue up, so that their making is not timed. */
    private void evict() {
        long half = parametersBytes / 2 / DeviceWeight.ALIGNMENT * DeviceWeight.ALIGNMENT;
        if (!quick) {
            context.copyOnDevice(parameters, parameters + half, half, stream);
        }
    }

    private double sample(LoadedKernel kernel, Workload workload, int launches) {
        long step = workload.allParameterBytes();
        long turns = step == 0 ? 1 : parametersBytes / step;
        context.record(begin, stream);
        for (int i = 0; i < launches; i++) {
            context.launch(kernel, bound(workload, parameters + i % turns * step), stream);
        }
        return since(launches);
    }

    private double since(int times) {
        context.record(end, stream);
        context.synchronize(end);
        return Math.max(SHORTEST, context.milliseconds(begin, end) / 1e3 / times);
    }

    private KernelCall bound(Workload workload, long base) {
        long[] weights = new long[workload.parameterBytes().size()];
        long at = base;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = at;
            at += DeviceWeight.align(workload.parameterBytes().get(i));
        }
        LongUnaryOperator places = DeviceProgram.places(arena, weights);
        return ((DeviceCommand.Launch) new DeviceCommand.Launch(workload.call()).bound(places)).call();
    }

    /** Bytes a second from pinned memory to the card. */
    double busRate() {
        return copyRate(() -> context.copyToDevice(pinned, 0, parameters, busBytes(), stream), busBytes());
    }

    private long busBytes() {
        return Math.min(pinned.bytes().capacity(), parametersBytes);
    }

    /** Bytes a second that a copy on the card reads and writes. */
    double memoryRate() {
        long half = parametersBytes / 2 / DeviceWeight.ALIGNMENT * DeviceWeight.ALIGNMENT;
        return copyRate(() -> context.copyOnDevice(parameters, parameters + half, half, stream), 2 * half);
    }

    private double copyRate(Runnable copy, long bytes) {
        double[] seconds = new double[quick ? 1 : SAMPLES];
        for (int i = 0; i < seconds.length; i++) {
            copy.run();
            context.record(begin, stream);
            copy.run();
            seconds[i] = since(1);
        }
        return bytes / middle(seconds).median();
    }

    @Override
    public void close() {
        context.synchronize(stream);
        context.free(pinned);
        context.free(parameters);
        context.free(arena);
        context.destroy(end);
        context.destroy(begin);
        context.destroy(stream);
    }
}
