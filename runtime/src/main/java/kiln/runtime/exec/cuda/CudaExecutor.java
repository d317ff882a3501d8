package kiln.runtime.exec.cuda;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaException;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.exec.cuda.residence.HostBlock;
import kiln.runtime.exec.cuda.residence.Residence;
import kiln.runtime.exec.cuda.residence.WeightUpload;
import kiln.runtime.exec.cuda.run.BoundProgram;
import kiln.runtime.exec.cuda.run.CapturedProgram;
import kiln.runtime.exec.cuda.run.GraphTransfers;
import kiln.runtime.exec.cuda.run.KernelModules;
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
    private final CudaDevice device;
    private final CudaContext context;
    private final CudaSettings settings;
    private final Consumer<String> notices;
    private final WeightUpload upload;
    private final HostBlock host;
    private final ProgramRunner runner;
    private final Residence residence;
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

    private ProgramChoice program(String network, Graph graph, DeviceTarget target) {
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
        return new Compiled(network, graph, program);
    }

    private void load(DeviceProgram program, DoubleConsumer progress) {
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

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the CUDA executor is closed");
        }
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

    private final class Compiled implements CompiledGraph {
        private final String network;
        private final Graph unfused;
        private ProgramChoice program;
        private BoundProgram bound;
        private GraphTransfers transfers;
        private CapturedProgram captured;
        private boolean toldOfBands;
        /** Whether all memory that Kiln asks for is there, so that only the driver itself can have too little. */
        private boolean launching;

        private boolean graphClosed;

        Compiled(String network, Graph unfused, ProgramChoice program) {
            this.network = network;
            this.unfused = unfused;
            this.program = program;
        }

        @Override
        public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
            requireOpen();
            if (graphClosed) {
                throw new IllegalStateException("the compiled graph is closed");
            }
            boolean libraryFailed = false;
            while (true) {
                try {
                    if (libraryFailed) {
                        lower(program.type());
                    }
                    return attempt(inputs, progress);
                } catch (CudaException e) {
                    if (device.libraries().giveUp(e, notices)) {
                        libraryFailed = true;
                    } else if (launching && e.isOutOfMemory()) {
                        libraryFailed = false;
                        residence.makeRoom(e);
                    } else {
                        throw failure(e);
                    }
                }
            }
        }

        private Map<String, float[]> attempt(Map<String, float[]> inputs, Progress progress) {
            Map<String, float[]> outputs = launch(inputs, progress);
            if (program.type() == DataType.F16 && outputs.values().stream().anyMatch(CudaExecutor::hasNaN)) {
                notices.accept("the " + network + " gave not-a-number in 16 bits: from here on it runs in 32 bits");
                lower(DataType.F32);
                outputs = launch(inputs, done -> progress.at(unfused.flops()));
            }
            return outputs;
        }

        /** Writes the program anew, for another number format or without a library. */
        private void lower(DataType type) {
            residence.remove(network, program);
            DeviceTarget target = settings.target(device.card(), network);
            program = program(network, unfused, type == DataType.F32 ? target.upcast() : target);
            bound = null;
            dropCapture();
            load(program.whole(), fraction -> {});
            residence.add(network, program);
        }

        private Map<String, float[]> launch(Map<String, float[]> inputs, Progress progress) {
            launching = false;
            long generation = residence.prepare(network);
            if (bound == null || bound.generation() != generation) {
                bind(residence.place(network, program));
            } else if (captured == null && captures && ProgramRunner.canCapture(bound)) {
                capture();
            }
            PinnedMemory pinned = device.transfer(transfers.bytes());
            transfers.write(inputs, pinned);
            launching = true;
            try {
                transfers.toDevice(context, pinned, bound.arena(), device.compute());
                if (captured == null) {
                    runner.run(bound, progress);
                } else {
                    runner.run(captured, progress);
                }
                transfers.toHost(context, pinned, bound.arena(), device.compute());
            } finally {
                runner.settle();
            }
            return transfers.read(pinned);
        }

        /** From the second run on: many programs run only once. */
        private void capture() {
            try {
                captured = runner.capture(bound);
            } catch (CudaException e) {
                captures = false;
                notices.accept("CUDA graphs do not work here (" + e.getMessage() + "): kernels are launched one by one");
            }
        }

        private void dropCapture() {
            if (captured != null) {
                captured.close();
                captured = null;
            }
        }

        private void bind(Residence.Placed placed) {
            dropCapture();
            long hostBytes = placed.program().hostBytes();
            if (hostBytes == 0) {
                host.release(this);
            } else {
                host.reserve(this, network, hostBytes);
                if (!toldOfBands) {
                    toldOfBands = true;
                    notices.accept("the " + network + " works in bands of rows, which takes longer: its results need "
                            + ByteSize.format(program.whole().arenaBytes()) + " of the card's memory, and "
                            + ByteSize.format(placed.program().arenaBytes()) + " are used");
                }
            }
            bound = BoundProgram.of(placed);
            transfers = new GraphTransfers(bound.program());
        }

        @Override
        public void close() {
            if (!graphClosed) {
                graphClosed = true;
                announced.remove(unfused);
                if (!closed) {
                    dropCapture();
                    residence.remove(network, program);
                    host.release(this);
                }
            }
        }
    }

    private static boolean hasNaN(float[] values) {
        for (float value : values) {
            if (Float.isNaN(value)) {
                return true;
            }
        }
        return false;
    }
}
