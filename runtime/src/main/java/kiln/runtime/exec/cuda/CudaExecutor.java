package kiln.runtime.exec.cuda;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.exec.cuda.residence.HostBlock;
import kiln.runtime.exec.cuda.residence.Residence;
import kiln.runtime.exec.cuda.residence.WeightUpload;
import kiln.runtime.exec.cuda.run.BoundProgram;
import kiln.runtime.exec.cuda.run.CapturedProgram;
import kiln.runtime.exec.cuda.run.ProgramRunner;
import kiln.runtime.graph.Graph;
import kiln.runtime.plan.ResidencyPlan;

/**
 * Runs graphs on an NVIDIA card. Nothing is allocated and no copy is waited for while a graph runs; memory is shared out when a graph runs
 * that was not known before ({@link #announce} tells of several at once).
 *
 * <p>Failures of the card are {@link KilnException}s of the categories OUT_OF_MEMORY and DEVICE.
 */
public final class CudaExecutor implements Executor {
    final CudaDevice device;
    final CudaSettings settings;
    final Consumer<String> notices;
    final HostBlock host;
    final ProgramRunner runner;
    final Residence residence;
    private final CudaContext context;
    private final WeightUpload upload;
    private final Map<Graph, ProgramChoice> announced = new IdentityHashMap<>();
    private boolean captures = true;
    private boolean closed;

    /**
     * @param device closed after this executor
     * @param notices told in one line what a person may want to know: less memory than thought, a part computed anew in 32 bits
     * @throws CudaException when the card has no room even for the events and buffers that weights travel by
     */
    CudaExecutor(CudaDevice device, WeightSource source, CudaSettings settings, Consumer<String> notices) {
        this.device = device;
        this.settings = settings;
        this.notices = notices;
        context = device.context();
        upload = new WeightUpload(context, source, settings.mostPinnedBytes());
        try {
            host = new HostBlock(context);
            runner = new ProgramRunner(
                    context, device.modules(), device.libraries(), upload, host, device.compute(), device.copy());
        } catch (CudaException e) {
            upload.close();
            throw e;
        }
        residence = new Residence(context, upload, device.compute(), settings.budget(), settings.highest(), notices);
    }

    @Override
    public String description() {
        return context.device().name() + " " + settings.type().label();
    }

    @Override
    public Precision precision() {
        return settings.type() == DataType.F16 ? Precision.F16 : Precision.F32;
    }

    @Override
    public DeviceUse deviceUse() {
        CudaContext.MemoryInfo memory;
        try {
            memory = context.memoryInfo();
        } catch (CudaException e) {
            // A figure for people is no reason to lose a picture; what is really broken shows at the next launch.
            return null;
        }
        ResidencyPlan plan = residence.plan();
        return new DeviceUse(
                context.device().name(),
                plan == null ? "" : plan.residency().word(),
                settings.budget().contextBytes() + residence.bytes(),
                settings.budget().contextBytes() + residence.peakBytes(),
                memory.freeBytes(),
                memory.totalBytes(),
                plan == null ? 0 : plan.streamedBytesPerStep());
    }

    /** How memory is shared out; {@code null} before the first run. */
    public ResidencyPlan plan() {
        return residence.plan();
    }

    @Override
    public void announce(String network, Graph graph) {
        requireOpen();
        residence.add(network, program(network, graph));
    }

    private ProgramChoice program(String network, Graph graph) {
        return announced.computeIfAbsent(graph, key -> program(network, graph, settings.target(device.card(), network)));
    }

    ProgramChoice program(String network, Graph graph, DeviceTarget target) {
        return CudaDemands.program(network, graph, target, device.libraries());
    }

    @Override
    public CompiledGraph compile(String network, Graph graph, DoubleConsumer progress) {
        requireOpen();
        ProgramChoice program = program(network, graph);
        try {
            load(program.whole(), progress);
        } catch (CudaException e) {
            throw failure(e);
        }
        residence.add(network, program);
        return new CompiledProgram(this, network, graph, program);
    }

    void load(DeviceProgram program, DoubleConsumer progress) {
        int done = 0;
        for (Kernel kernel : program.kernels()) {
            progress.accept((double) done++ / program.kernels().size());
            device.modules().get(kernel);
        }
    }

    @Override
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        requireOpen();
        try {
            residence.reload(tensors, progress);
        } catch (CudaException e) {
            throw failure(e);
        }
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the CUDA executor is closed");
        }
    }

    /** As CUDA graphs; {@code null} where the program or the card cannot. */
    CapturedProgram capture(BoundProgram bound) {
        if (!captures || !ProgramRunner.canCapture(bound)) {
            return null;
        }
        try {
            return runner.capture(bound);
        } catch (CudaException e) {
            captures = false;
            notices.accept("CUDA graphs do not work here (" + e.getMessage() + "): kernels are launched one by one");
            return null;
        }
    }

    /** Whether what the graph has on the card is to be given back: a closed executor has let go of all. */
    boolean forget(Graph graph) {
        announced.remove(graph);
        return !closed;
    }

    /** A failure of the card as a person is told. */
    public static KilnException failure(CudaException e) {
        return e.isOutOfMemory()
                ? new KilnException(Category.OUT_OF_MEMORY, e.getMessage() + ": close what else uses the card, or --use-cpu all", e)
                : new KilnException(Category.DEVICE, e.getMessage() + ": kiln selftest looks closer, --use-cpu all draws without the card", e);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (upload; host; runner; residence) {
            runner.settle();
        } catch (CudaException e) {
            notices.accept("the card was left in disorder: " + e.getMessage());
        }
    }
}
