package kiln.runtime.exec.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Event;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.op.Card;
import kiln.runtime.graph.Graph;

/**
 * Times a graph's products on a card, by Kiln's own kernels and by NVIDIA's libraries, each with what follows it. The numbers that are
 * multiplied mean nothing.
 */
public final class ProductBench implements AutoCloseable {
    private static final int ROUNDS = 3;
    private static final double ROUND_MILLISECONDS = 5;
    private static final int MOST_RUNS = 200;
    /** Halves of 0.065, floats of nearly nothing: no sums overflow. */
    private static final byte FILLING = 0x2c;

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
        long block = context.allocate(DeviceWeight.align(arenaBytes) + weightBytes, "timing products");
        try {
            context.fill(block, FILLING, DeviceWeight.align(arenaBytes) + weightBytes, stream);
            LongUnaryOperator places = symbol -> place(symbol, block, block + DeviceWeight.align(arenaBytes));
            Map<Integer, List<DeviceCommand>> ownCommands = new HashMap<>();
            own.steps().forEach(step -> ownCommands.put(step.node(), bound(step, places)));
            Map<String, ProductTimes.Times> times = new TreeMap<>();
            for (DeviceProgram.Step step : other.steps()) {
                // A library's product comes first, what follows it behind it.
                if (!step.commands().isEmpty() && step.commands().get(0) instanceof DeviceCommand.OfLibrary product) {
                    String key = ProductTimes.key(product.label(), ProductLowering.epilogue(other.graph().node(step.node())));
                    if (!times.containsKey(key)) {
                        times.put(key, compare(ownCommands.get(step.node()), bound(step, places), libraries.version(product)));
                    }
                }
            }
            return new ProductTimes(times);
        } finally {
            context.synchronize(stream);
            context.free(block);
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

    private ProductTimes.Times compare(List<DeviceCommand> own, List<DeviceCommand> other, String version) {
        int ownRuns = runs(own);
        int otherRuns = runs(other);
        double ownLeast = Double.POSITIVE_INFINITY;
        double otherLeast = Double.POSITIVE_INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            ownLeast = Math.min(ownLeast, milliseconds(own, ownRuns));
            otherLeast = Math.min(otherLeast, milliseconds(other, otherRuns));
        }
        return new ProductTimes.Times(ownLeast * 1e3, otherLeast * 1e3, version);
    }

    /** As many as a round takes, after one that loads all that is needed. */
    private int runs(List<DeviceCommand> commands) {
        milliseconds(commands, 1);
        return (int) Math.max(1, Math.min(MOST_RUNS, ROUND_MILLISECONDS / milliseconds(commands, 1)));
    }

    /** Of one run. */
    private double milliseconds(List<DeviceCommand> commands, int runs) {
        context.record(begin, stream);
        for (int i = 0; i < runs; i++) {
            for (DeviceCommand command : commands) {
                queue(command);
            }
        }
        context.record(end, stream);
        context.synchronize(end);
        return context.milliseconds(begin, end) / runs;
    }

    private void queue(DeviceCommand command) {
        if (command instanceof DeviceCommand.Launch launch) {
            context.launch(modules.get(launch.call().kernel()), launch.call(), stream);
        } else if (command instanceof DeviceCommand.OfLibrary product) {
            libraries.queue(product, stream);
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
