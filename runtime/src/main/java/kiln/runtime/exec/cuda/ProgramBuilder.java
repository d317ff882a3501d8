package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Weight;
import kiln.runtime.plan.MemoryPlan;

/** Collects a program node by node: names for places, room for work, calls. */
final class ProgramBuilder {
    final Graph graph;
    final DeviceTarget target;
    final DeviceLibraries libraries;
    private final MemoryPlan plan;
    private final Map<DeviceWeight, Integer> weights = new LinkedHashMap<>();
    private final List<DeviceProgram.Step> steps = new ArrayList<>();
    private final List<DeviceCommand> commands = new ArrayList<>();
    private final List<Integer> used = new ArrayList<>();
    private long workBytes;
    private long nodeWork;

    ProgramBuilder(Graph graph, DeviceTarget target, DeviceLibraries libraries) {
        this.graph = graph;
        this.target = target;
        this.libraries = libraries;
        plan = MemoryPlan.of(graph, node -> Lowering.typeOf(graph.node(node), target.type()).bytes());
    }

    DataType type() {
        return target.type();
    }

    /** Where a node's result lies. */
    long result(int node) {
        return Address.arena(plan.offset(node));
    }

    /** Where a channel of a node's first row lies. */
    long result(int node, int channel) {
        return Address.arena(plan.offset(node) + (long) channel * type().bytes());
    }

    /** Room for the node that is being written; its beginning is the place of nothing else until the node is done. */
    long work(long bytes) {
        long at = nodeWork;
        nodeWork += DeviceWeight.align(bytes);
        workBytes = Math.max(workBytes, nodeWork);
        return Address.work(at);
    }

    /** A parameter as it is in the checkpoint. */
    long weight(Weight weight) {
        return weight(new DeviceWeight(weight, DeviceWeight.Layout.PLAIN, type(), false));
    }

    long weight(DeviceWeight weight) {
        int index = weights.computeIfAbsent(weight, key -> weights.size());
        if (!used.contains(index)) {
            used.add(index);
        }
        return Address.weight(index, 0);
    }

    void add(KernelCall call) {
        add(new DeviceCommand.Launch(call));
    }

    void add(DeviceCommand command) {
        commands.add(command);
    }

    void endNode(int node) {
        Node done = graph.node(node);
        steps.add(new DeviceProgram.Step(node, graph.flops(done), commands, used));
        commands.clear();
        used.clear();
        nodeWork = 0;
    }

    DeviceProgram build() {
        return new DeviceProgram(graph, target.type(), plan, steps, List.copyOf(weights.keySet()), workBytes);
    }
}
