package kiln.runtime.exec.cuda.residence;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkPlace;
import kiln.runtime.plan.Placement;
import kiln.runtime.plan.Residency;
import kiln.runtime.plan.ResidencyPlan;
import kiln.runtime.plan.StreamUnit;

/**
 * Where weights and results lie on the card at the moment. All networks share one region (two where everything stays: weights, arena); a
 * network's weights come when it is placed, and go when another one needs the room.
 *
 * <p>When the card has less than was thought, the next lower residency is tried, and less and less memory with the lowest: results for which
 * there is no room then go through host memory, where a network can do that.
 */
public final class Residence implements AutoCloseable {
    /**
     * A program's places.
     *
     * @param program the one that suits the arena
     * @param generation changes when places do
     * @param weights by the program's index; a streamed weight's is in its slot
     */
    public record Placed(DeviceProgram program, long generation, long arena, long[] weights, List<StreamedUnit> units) {}

    /** The first and the last of a program's steps that read a weight. */
    private record StepRange(int first, int last) {
        static Map<DeviceWeight, StepRange> byWeight(DeviceProgram program) {
            Map<DeviceWeight, StepRange> ranges = new HashMap<>();
            for (int step = 0; step < program.steps().size(); step++) {
                StepRange one = new StepRange(step, step);
                for (int weight : program.steps().get(step).weights()) {
                    ranges.merge(program.weights().get(weight), one, (before, now) -> new StepRange(before.first, now.last));
                }
            }
            return ranges;
        }
    }

    /** By this part of what could not be had the next attempt asks for less. */
    private static final int LESS_PARTS = 8;

    private final CudaContext context;
    private final WeightUpload upload;
    private final CudaContext.Stream stream;
    private final MemoryBudget budget;
    private final Consumer<String> notices;
    private final Map<String, NetworkPrograms> networks = new LinkedHashMap<>();
    private final Set<String> present = new HashSet<>();
    private Residency highest;
    /** Of all memory, after the driver had less than it said. */
    private long mostBytes = Long.MAX_VALUE;

    private CudaException refusal;
    private ResidencyPlan plan;
    private boolean stale = true;
    private long generation;
    private long weightsRegion;
    private long arenaRegion;
    private long weightsBytes;
    private long arenaBytes;
    private long peakBytes;

    public Residence(
            CudaContext context,
            WeightUpload upload,
            CudaContext.Stream stream,
            MemoryBudget budget,
            Residency highest,
            Consumer<String> notices) {
        this.context = context;
        this.upload = upload;
        this.stream = stream;
        this.budget = budget;
        this.highest = highest;
        this.notices = notices;
    }

    /** Counts a program in from now on. */
    public void add(String network, ProgramChoice program) {
        if (networks.computeIfAbsent(network, NetworkPrograms::new).add(program)) {
            stale = true;
        }
    }

    public void remove(String network, ProgramChoice program) {
        NetworkPrograms programs = networks.get(network);
        // What it took is kept until the room is needed.
        if (programs != null && programs.remove(program)) {
            networks.remove(network);
            stale = true;
        }
    }

    /** Allocated at the moment. */
    public long bytes() {
        return weightsBytes + arenaBytes;
    }

    /** The most that was allocated at one time. */
    public long peakBytes() {
        return peakBytes;
    }

    /** What is planned now; {@code null} before the first program is placed. */
    public ResidencyPlan plan() {
        return plan;
    }

    /**
     * Makes a network ready to run: memory is there, weights are on their way on the stream.
     *
     * @return the generation of its places: with another one than before, {@link #place} anew
     * @throws KilnException OUT_OF_MEMORY when nothing is left to be tried
     */
    public long prepare(String network) {
        if (stale) {
            settle();
        }
        if (arenaRegion == 0 && !present.contains(network)) {
            present.clear();
        }
        if (present.add(network)) {
            bring(networks.get(network), plan.network(network));
        }
        return generation;
    }

    /** Where a program of a network that was prepared lies. */
    public Placed place(String network, ProgramChoice choice) {
        NetworkPlace place = plan.network(network);
        NetworkPrograms programs = networks.get(network);
        boolean separate = arenaRegion != 0;
        long room = separate ? arenaBytes : weightsBytes - place.arenaOffset();
        DeviceProgram program = choice.within(room);
        long[] weights = new long[program.weights().size()];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = weightsRegion + place.weightOffset(programs.indexOf(program.weights().get(i)));
        }
        long arena = separate ? arenaRegion : weightsRegion + place.arenaOffset();
        return new Placed(program, generation, arena, weights, units(program, programs, place));
    }

    private void bring(NetworkPrograms programs, NetworkPlace place) {
        List<DeviceWeight> weights = programs.weights();
        for (int i = 0; i < weights.size(); i++) {
            if (place.weights().placements().get(i).resident()) {
                upload.upload(weights.get(i), weightsRegion + place.weightOffset(i), plan.residency() != Residency.RESIDENT, stream);
            }
        }
    }

    /** Brings weights that read otherwise now to where they lie; those that come again are made anew. No program runs meanwhile. */
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        upload.remake(tensors);
        int done = 0;
        for (String network : List.copyOf(present)) {
            progress.accept((double) done++ / (1 + present.size()));
            NetworkPlace place = plan.network(network);
            List<DeviceWeight> weights = networks.containsKey(network) ? networks.get(network).weights() : List.of();
            if (weights.size() != place.weights().placements().size()) {
                // What runs has changed since memory was shared out: it comes whole when it runs next.
                present.remove(network);
                continue;
            }
            for (int i = 0; i < weights.size(); i++) {
                boolean changed = weights.get(i).weight().names().stream().anyMatch(tensors::contains);
                if (changed && place.weights().placements().get(i).resident()) {
                    upload.upload(weights.get(i), weightsRegion + place.weightOffset(i), plan.residency() != Residency.RESIDENT, stream);
                }
            }
        }
        progress.accept(1);
    }

    private List<StreamedUnit> units(DeviceProgram program, NetworkPrograms programs, NetworkPlace place) {
        Map<DeviceWeight, StepRange> ranges = StepRange.byWeight(program);
        List<DeviceWeight> all = programs.weights();
        List<StreamedUnit> units = new ArrayList<>();
        for (StreamUnit unit : place.weights().units()) {
            List<DeviceWeight> weights = new ArrayList<>();
            List<Long> offsets = new ArrayList<>();
            int first = Integer.MAX_VALUE;
            int last = -1;
            for (int weight : unit.weights()) {
                Placement placement = place.weights().placements().get(weight);
                weights.add(all.get(weight));
                offsets.add(placement.offset());
                StepRange range = ranges.get(all.get(weight));
                if (range != null) {
                    first = Math.min(first, range.first());
                    last = Math.max(last, range.last());
                }
            }
            if (last >= 0) {
                int slot = place.weights().placements().get(unit.weights().get(0)).slot();
                units.add(new StreamedUnit(slot, weightsRegion + place.slotOffset(slot), weights, offsets, first, last));
            }
        }
        return List.copyOf(units);
    }

    /** Plans anew and allocates, lower and lower until it works. */
    private void settle() {
        List<NetworkDemand> demands = networks.values().stream().map(NetworkPrograms::demand).toList();
        String largest = demands.stream().max(Comparator.comparingLong(NetworkDemand::weightBytes)).orElseThrow().name();
        while (true) {
            long held = weightsBytes + arenaBytes;
            long room = Math.min(mostBytes, budget.room(context.memoryInfo().freeBytes() + held));
            ResidencyPlan next = ResidencyPlan.choose(demands, largest, room, 0, highest);
            if (!next.fits()) {
                release();
                String refused = refusal == null ? "" : refusal.getMessage() + ", and with less it does not work: ";
                throw new KilnException(KilnException.Category.OUT_OF_MEMORY, refused + next.shortage().orElseThrow(), refusal);
            }
            try {
                allocate(next);
                plan = next;
                stale = false;
                return;
            } catch (CudaException e) {
                release();
                if (!e.isOutOfMemory()) {
                    throw e;
                }
                askForLess(next, e);
            }
        }
    }

    private void askForLess(ResidencyPlan refused, CudaException e) {
        refusal = e;
        if (refused.residency().lower().isPresent()) {
            highest = refused.residency().lower().get();
        } else {
            mostBytes = refused.peakBytes() - (refused.peakBytes() + LESS_PARTS - 1) / LESS_PARTS;
        }
        notices.accept("going on with less memory, as with --" + highest.word() + ": " + e.getMessage());
    }

    /** Gives all memory back and plans with less from now on: the driver had too little for what it needs itself. */
    public void makeRoom(CudaException e) {
        release();
        askForLess(plan, e);
    }

    private void allocate(ResidencyPlan next) {
        boolean separate = next.residency() == Residency.RESIDENT;
        long newWeights = separate ? next.weightsBytes() : next.regionBytes();
        long newArena = separate ? Math.max(1, next.activationBytes()) : 0;
        boolean weightsStay = separate && plan != null && arenaRegion != 0 && sameWeights(plan, next);
        generation++;
        if (arenaRegion != 0 && (!weightsStay || newArena > arenaBytes)) {
            context.free(arenaRegion);
            arenaRegion = 0;
            arenaBytes = 0;
        }
        if (!weightsStay) {
            release();
            weightsRegion = context.allocate(Math.max(1, newWeights), separate ? "weights" : "weights and results");
            weightsBytes = newWeights;
        }
        if (separate && arenaRegion == 0) {
            arenaRegion = context.allocate(newArena, "results");
            arenaBytes = newArena;
        }
        peakBytes = Math.max(peakBytes, bytes());
    }

    private static boolean sameWeights(ResidencyPlan before, ResidencyPlan after) {
        return before.residency() == after.residency()
                && before.networks().stream()
                        .map(place -> place.demand().weights().stream().map(use -> use.name() + use.bytes()).toList())
                        .toList()
                        .equals(after.networks().stream()
                                .map(place -> place.demand().weights().stream().map(use -> use.name() + use.bytes()).toList())
                                .toList());
    }

    /** Gives all device memory back; programs are placed anew when they run again. */
    private void release() {
        stale = true;
        present.clear();
        if (arenaRegion != 0) {
            context.free(arenaRegion);
            arenaRegion = 0;
            arenaBytes = 0;
        }
        if (weightsRegion != 0) {
            context.free(weightsRegion);
            weightsRegion = 0;
            weightsBytes = 0;
        }
    }

    @Override
    public void close() {
        release();
        networks.clear();
    }
}
