package kiln.runtime.exec.cuda.measure;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Event;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.CudaException;
import kiln.kernels.HalfFloats;
import kiln.kernels.op.Card;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.exec.cuda.program.Address;
import kiln.runtime.exec.cuda.program.DeviceCommand;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.exec.cuda.program.ProductLowering;
import kiln.runtime.exec.cuda.run.KernelModules;
import kiln.runtime.graph.Graph;

/**
 * Times a graph's products on a card, by Kiln's own kernels and by NVIDIA's libraries, each with what follows it, as CUDA graphs: that is how
 * they run in a picture. Memory holds random numbers, as {@link KernelTimer}'s does.
 */
public final class ProductBench implements AutoCloseable {
    private static final int ROUNDS = 3;
    private static final double ROUND_MILLISECONDS = 5;
    private static final int MOST_RUNS = 200;
    private static final int PINNED_BYTES = 1 << 20;

    private final CudaContext context;
    private final DeviceLibraries libraries;
    private final KernelModules modules;
    private final Stream stream;
    private final Event begin;
    private final Event end;

    private ProductBench(CudaContext context, DeviceLibraries libraries) {
        this.context = context;
        this.libraries = libraries;
        modules = new KernelModules(context);
        stream = context.createStream();
        begin = context.createEvent(true);
        end = context.createEvent(true);
    }

    /**
     * Times each size once.
     *
     * @param unfused as a model builds it
     * @param settings number format and width of weights
     * @param libraries of this context, asked for by force; the caller closes them
     */
    public static ProductTimes measure(
            CudaContext context, DeviceLibraries libraries, Graph unfused, String network, CudaSettings settings) {
        DeviceTarget target = settings.target(Card.of(context), network);
        DeviceProgram own = Lowering.lower(unfused, target);
        DeviceProgram other = Lowering.lower(unfused, target, libraries);
        try (ProductBench bench = new ProductBench(context, libraries)) {
            return bench.measure(own, other);
        }
    }

    /** All parameters lie in one place: there may be no room for all. */
    private ProductTimes measure(DeviceProgram own, DeviceProgram other) {
        long arenaBytes = Math.max(1, Math.max(own.arenaBytes(), other.arenaBytes()));
        long weightBytes = own.weights().stream().mapToLong(DeviceWeight::bytes).max().orElse(1);
        long bytes = DeviceWeight.align(arenaBytes) + weightBytes;
        long block = context.allocate(bytes, "timing products");
        try {
            randomise(block, bytes);
            LongUnaryOperator places = symbol -> place(symbol, block, block + DeviceWeight.align(arenaBytes));
            Map<Integer, List<DeviceCommand>> ownCommands = new HashMap<>();
            own.steps().forEach(step -> ownCommands.put(step.node(), bound(step, places)));
            Map<String, ProductTimes.Times> times = new TreeMap<>();
            for (DeviceProgram.Step step : other.steps()) {
                // A library's product comes first, what follows it behind it.
                if (!step.commands().isEmpty() && step.commands().get(0) instanceof DeviceCommand.OfLibrary product) {
                    String key = ProductTimes.key(product.label(), ProductLowering.epilogue(other.graph().node(step.node())));
                    if (!times.containsKey(key)) {
                        compare(ownCommands.get(step.node()), bound(step, places), product.version(libraries))
                                .ifPresent(found -> times.put(key, found));
                    }
                }
            }
            return new ProductTimes(times);
        } finally {
            context.synchronize(stream);
            context.free(block);
        }
    }

    private void randomise(long address, long bytes) {
        PinnedMemory pinned = context.allocatePinned(PINNED_BYTES, "random numbers");
        try {
            Random random = new Random(1);
            for (int at = 0; at < PINNED_BYTES; at += Short.BYTES) {
                // Read as 32-bit floats, pairs of these are numbers below one as well.
                pinned.bytes().putShort(at, HalfFloats.toHalf(2 * random.nextFloat() - 1));
            }
            for (long at = 0; at < bytes; at += PINNED_BYTES) {
                context.copyToDevice(pinned, 0, address + at, Math.min(PINNED_BYTES, bytes - at), stream);
            }
            context.synchronize(stream);
        } finally {
            context.free(pinned);
        }
    }

    private static List<DeviceCommand> bound(DeviceProgram.Step step, LongUnaryOperator places) {
        return step.commands().stream().map(command -> command.bound(places)).toList();
    }

    private static long place(long symbol, long arena, long weights) {
        if (!Address.isSymbol(symbol)) {
            return symbol;
        }
        return (Address.region(symbol) == Address.Region.WEIGHT ? weights : arena) + Address.offset(symbol);
    }

    /** Nothing where the library refuses the sizes after all. */
    private Optional<ProductTimes.Times> compare(List<DeviceCommand> own, List<DeviceCommand> other, String version) {
        try {
            queue(other, 1);
        } catch (CudaException e) {
            if (!DeviceLibraries.isOfLibrary(e)) {
                throw e;
            }
            return Optional.empty();
        }
        int ownRuns = runs(own);
        int otherRuns = runs(other);
        CudaContext.Graph ownGraph = context.capture(stream, () -> queue(own, ownRuns));
        CudaContext.Graph otherGraph = context.capture(stream, () -> queue(other, otherRuns));
        double ownLeast = Double.POSITIVE_INFINITY;
        double otherLeast = Double.POSITIVE_INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            ownLeast = Math.min(ownLeast, milliseconds(() -> context.launch(ownGraph, stream)) / ownRuns);
            otherLeast = Math.min(otherLeast, milliseconds(() -> context.launch(otherGraph, stream)) / otherRuns);
        }
        context.destroy(ownGraph);
        context.destroy(otherGraph);
        return Optional.of(new ProductTimes.Times(ownLeast * 1e3, otherLeast * 1e3, version));
    }

    /** As many as a round takes, after one that loads all that is needed. */
    private int runs(List<DeviceCommand> commands) {
        milliseconds(() -> queue(commands, 1));
        return (int) Math.max(1, Math.min(MOST_RUNS, ROUND_MILLISECONDS / milliseconds(() -> queue(commands, 1))));
    }

    private double milliseconds(Runnable work) {
        context.record(begin, stream);
        work.run();
        context.record(end, stream);
        context.synchronize(end);
        return context.milliseconds(begin, end);
    }

    private void queue(List<DeviceCommand> commands, int runs) {
        for (int i = 0; i < runs; i++) {
            commands.forEach(this::queue);
        }
    }

    private void queue(DeviceCommand command) {
        if (command instanceof DeviceCommand.Launch launch) {
            context.launch(modules.get(launch.call().kernel()), launch.call(), stream);
        } else if (command instanceof DeviceCommand.OfLibrary product) {
            product.queue(libraries, stream);
        }
    }

    @Override
    public void close() {
        context.destroy(begin);
        context.destroy(end);
        context.destroy(stream);
        modules.close();
    }
}
