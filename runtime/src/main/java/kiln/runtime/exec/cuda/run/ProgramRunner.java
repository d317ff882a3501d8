package kiln.runtime.exec.cuda.run;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Event;
import kiln.kernels.CudaContext.Stream;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.DeviceCommand;
import kiln.runtime.exec.cuda.program.DeviceCommand.Lane;
import kiln.runtime.exec.cuda.residence.HostBlock;
import kiln.runtime.exec.cuda.residence.StreamedUnit;
import kiln.runtime.exec.cuda.residence.WeightUpload;

/**
 * Launches a program's calls on one stream while a second one brings the weights that do not stay: a unit's copy begins when the unit two
 * places before it has been used, so the card computes with one slot while the other fills.
 */
public final class ProgramRunner implements AutoCloseable {
    /** So many steps may wait in the queue: progress and cancel lag behind the card by no more. */
    private static final int MOST_AHEAD = 32;

    private static final int STEPS_PER_MARK = 8;
    private static final int SLOTS = 2;
    /** Some eight graphs for a step of SD 1.x. */
    private static final int STEPS_PER_GRAPH = 48;

    private static final int GRAPHS_AHEAD = 2;

    private final CudaContext context;
    private final KernelModules modules;
    private final DeviceLibraries libraries;
    private final WeightUpload upload;
    private final HostBlock host;
    private final Stream compute;
    private final Stream copy;
    private final Stream back;
    private final Map<Lane, Event> reached = new EnumMap<>(Lane.class);
    private final List<Event> filled = new ArrayList<>();
    private final List<Event> used = new ArrayList<>();
    private final List<Event> marks = new ArrayList<>();

    public ProgramRunner(
            CudaContext context,
            KernelModules modules,
            DeviceLibraries libraries,
            WeightUpload upload,
            HostBlock host,
            Stream compute,
            Stream copy) {
        this.context = context;
        this.modules = modules;
        this.libraries = libraries;
        this.upload = upload;
        this.host = host;
        this.compute = compute;
        this.copy = copy;
        for (int i = 0; i < SLOTS; i++) {
            filled.add(context.createEvent(false));
            used.add(context.createEvent(false));
        }
        back = context.createStream();
        for (Lane lane : Lane.values()) {
            reached.put(lane, context.createEvent(false));
        }
        for (int i = 0; i < MOST_AHEAD / STEPS_PER_MARK; i++) {
            marks.add(context.createEvent(false));
        }
    }

    /**
     * Queues the whole program; returns when the last of it is queued. The slots must not be in use, and the host's block must be large
     * enough.
     */
    public void run(BoundProgram program, Progress progress) {
        List<StreamedUnit> units = program.units();
        int next = 0;
        int ready = 0;
        int done = 0;
        while (next < Math.min(SLOTS, units.size())) {
            fill(units.get(next++));
        }
        ArrayDeque<Event> queued = new ArrayDeque<>();
        double flops = 0;
        for (int step = 0; step < program.steps().size(); step++) {
            if (step % STEPS_PER_MARK == 0) {
                if (queued.size() == marks.size()) {
                    context.synchronize(queued.remove());
                }
                Event mark = marks.get(step / STEPS_PER_MARK % marks.size());
                context.record(mark, compute);
                queued.add(mark);
            }
            progress.at(flops);
            for (; ready < units.size() && units.get(ready).firstStep() <= step; ready++) {
                context.waitFor(filled.get(units.get(ready).slot()), compute);
            }
            BoundProgram.Step now = program.steps().get(step);
            now.commands().forEach(this::queue);
            flops += now.flops();
            for (; done < units.size() && units.get(done).lastStep() <= step; done++) {
                int slot = units.get(done).slot();
                context.record(used.get(slot), compute);
                if (next < units.size()) {
                    context.waitFor(used.get(slot), copy);
                    fill(units.get(next++));
                }
            }
        }
        progress.at(flops);
    }

    /** Whether all that a program does is launches, always the same. */
    public static boolean canCapture(BoundProgram program) {
        return program.units().isEmpty() && program.program().hostBytes() == 0;
    }

    /** Nothing is launched. */
    public CapturedProgram capture(BoundProgram program) {
        CapturedProgram captured = new CapturedProgram(context);
        try {
            for (int from = 0; from < program.steps().size(); from += STEPS_PER_GRAPH) {
                List<BoundProgram.Step> steps =
                        program.steps().subList(from, Math.min(program.steps().size(), from + STEPS_PER_GRAPH));
                double flops = steps.stream().mapToDouble(BoundProgram.Step::flops).sum();
                if (steps.stream().anyMatch(step -> !step.commands().isEmpty())) {
                    CudaContext.Graph graph = context.capture(compute, () -> steps.forEach(step -> step.commands().forEach(this::queue)));
                    captured.add(new CapturedProgram.Piece(graph, flops));
                }
            }
            return captured;
        } catch (RuntimeException e) {
            captured.close();
            throw e;
        }
    }

    /** As {@link #run(BoundProgram, Progress)}. */
    public void run(CapturedProgram program, Progress progress) {
        double flops = 0;
        for (int i = 0; i < program.pieces().size(); i++) {
            Event mark = marks.get(i % GRAPHS_AHEAD);
            if (i >= GRAPHS_AHEAD) {
                context.synchronize(mark);
            }
            progress.at(flops);
            context.launch(program.pieces().get(i).graph(), compute);
            context.record(mark, compute);
            flops += program.pieces().get(i).flops();
        }
        progress.at(flops);
    }

    private void queue(DeviceCommand command) {
        if (command instanceof DeviceCommand.Launch launch) {
            context.launch(modules.get(launch.call().kernel()), launch.call(), compute);
        } else if (command instanceof DeviceCommand.OfLibrary product) {
            product.queue(libraries, compute);
        } else if (command instanceof DeviceCommand.CopyToDevice copied) {
            host.copyToDevice(copied.hostOffset(), copied.address(), copied.bytes(), copy);
        } else if (command instanceof DeviceCommand.CopyToHost copied) {
            host.copyToHost(copied.address(), copied.hostOffset(), copied.bytes(), back);
        } else if (command instanceof DeviceCommand.Await await) {
            Event event = reached.get(await.other());
            context.record(event, stream(await.other()));
            context.waitFor(event, stream(await.waiting()));
        }
    }

    private Stream stream(Lane lane) {
        return switch (lane) {
            case COMPUTE -> compute;
            case TO_DEVICE -> copy;
            case TO_HOST -> back;
        };
    }

    private void fill(StreamedUnit unit) {
        upload.stream(unit, copy);
        context.record(filled.get(unit.slot()), copy);
    }

    /** Waits for all that is queued. */
    public void settle() {
        context.synchronize(copy);
        context.synchronize(compute);
        context.synchronize(back);
    }

    @Override
    public void close() {
        filled.forEach(context::destroy);
        used.forEach(context::destroy);
        marks.forEach(context::destroy);
        reached.values().forEach(context::destroy);
        if (!reached.isEmpty()) {
            context.destroy(back);
        }
        reached.clear();
        filled.clear();
        used.clear();
        marks.clear();
    }
}
