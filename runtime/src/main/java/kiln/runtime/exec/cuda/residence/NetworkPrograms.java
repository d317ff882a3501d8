package kiln.runtime.exec.cuda.residence;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.WeightUse;

/** The programs of one network: they share weights, and only one of them runs at a time. */
public final class NetworkPrograms {
    private final String name;
    private final Set<ProgramChoice> programs = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<DeviceWeight, Integer> indices = new LinkedHashMap<>();
    private final List<Double> flops = new ArrayList<>();
    private long arenaBytes;
    private long leastArenaBytes;
    private double programFlops;

    public NetworkPrograms(String name) {
        this.name = name;
    }

    /** @return whether more memory is needed than before */
    public boolean add(ProgramChoice choice) {
        DeviceProgram program = choice.whole();
        boolean more = program.arenaBytes() > arenaBytes || choice.leastArenaBytes() > leastArenaBytes;
        programs.add(choice);
        arenaBytes = Math.max(arenaBytes, program.arenaBytes());
        leastArenaBytes = Math.max(leastArenaBytes, choice.leastArenaBytes());
        for (DeviceWeight weight : program.weights()) {
            if (indices.putIfAbsent(weight, indices.size()) == null) {
                flops.add(0.0);
                more = true;
            }
        }
        programFlops = Math.max(programFlops, program.graph().flops());
        countFlops(program);
        return more;
    }

    /** The time of steps in which others can be copied goes to the weight read last before or in them. */
    private void countFlops(DeviceProgram program) {
        double[] own = new double[indices.size()];
        int current = 0;
        if (own.length == 0) {
            return;
        }
        for (DeviceProgram.Step step : program.steps()) {
            if (!step.weights().isEmpty()) {
                current = indexOf(program.weights().get(step.weights().get(0)));
            }
            own[current] += step.flops();
        }
        for (int i = 0; i < own.length; i++) {
            flops.set(i, Math.max(flops.get(i), own[i]));
        }
    }

    /** @return whether none is left */
    boolean remove(ProgramChoice program) {
        programs.remove(program);
        return programs.isEmpty();
    }

    List<DeviceWeight> weights() {
        return List.copyOf(indices.keySet());
    }

    int indexOf(DeviceWeight weight) {
        return indices.get(weight);
    }

    public NetworkDemand demand() {
        List<WeightUse> uses = new ArrayList<>();
        indices.forEach((weight, index) -> uses.add(new WeightUse(weight.name(), weight.bytes(), flops.get(index))));
        return new NetworkDemand(name, uses, arenaBytes, leastArenaBytes, programFlops);
    }
}
