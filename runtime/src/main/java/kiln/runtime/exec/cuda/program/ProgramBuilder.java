package kiln.runtime.exec.cuda.program;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Shape;
import kiln.runtime.graph.Weight;
import kiln.runtime.plan.MemoryPlan;

/** Collects a program node by node: names for places, room for work, commands. */
final class ProgramBuilder {
    final Graph graph;
    final DeviceTarget target;
    final ProductChoice products;
    final NormFusion norms;
    final BandPlan bands;
    private final MemoryPlan plan;
    private final Map<DeviceWeight, Integer> weights = new LinkedHashMap<>();
    private final List<DeviceProgram.Step> steps = new ArrayList<>();
    private final List<DeviceCommand> commands = new ArrayList<>();
    private final List<Integer> used = new ArrayList<>();
    private final long[] workBytes;
    private int node;

    ProgramBuilder(Graph graph, DeviceTarget target, ProductChoice products, NormFusion norms, BandPlan bands) {
        this.graph = graph;
        this.target = target;
        this.products = products;
        this.norms = norms;
        this.bands = bands;
        plan = bands.devicePlan();
        workBytes = new long[graph.nodes().size()];
    }

    DataType type() {
        return target.type();
    }

    /** Where a node's result lies; of a norm that its reader applies, the factors. */
    long result(int node) {
        return result(node, 0);
    }

    /** Where a channel of a node's first row lies. */
    long result(int node, int channel) {
        if (bands.isOnHost(node)) {
            throw new IllegalStateException("the result of " + graph.node(node).name() + " is not on the device");
        }
        return Address.arena(plan.offset(node) + (long) channel * type().bytes());
    }

    /** Where the statistics of a node's result begin, those of a row where bands may begin. */
    long statistics(int node, int row) {
        return Address.arena(bands.statisticsOffset(node) + norms.statisticsOffset(node, row));
    }

    /** Bytes of a row of a node's map. */
    long rowBytes(int node) {
        Shape shape = graph.shapeOf(node);
        return (long) shape.width() * shape.channels() * type().bytes();
    }

    /** Room for the node that is being written; the place of nothing else until the node is done. */
    long work(long bytes) {
        long at = DeviceWeight.align(plan.top(node)) + workBytes[node];
        workBytes[node] += DeviceWeight.align(bytes);
        return Address.arena(at);
    }

    /** What was taken of {@link #work} for a node. */
    long workBytes(int node) {
        return workBytes[node];
    }

    /** A parameter as it is in the checkpoint. */
    long weight(Weight weight) {
        return weight(new DeviceWeight(weight, DeviceWeight.Layout.PLAIN, type()));
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

    /** Ends a part of the node that is being written: progress and cancel come between steps. */
    void endStep(double flops) {
        steps.add(new DeviceProgram.Step(node, flops, commands, used));
        commands.clear();
    }

    void endNode() {
        if (!bands.isInBands(node)) {
            endStep(graph.flops(graph.node(node)));
        }
        used.clear();
        node++;
    }

    DeviceProgram build() {
        long arenaBytes = plan.arenaBytes();
        for (int i = 0; i < workBytes.length; i++) {
            arenaBytes = Math.max(arenaBytes, workBytes[i] == 0 ? 0 : DeviceWeight.align(plan.top(i)) + workBytes[i]);
        }
        return new DeviceProgram(
                graph, target.type(), plan, steps, List.copyOf(weights.keySet()), DeviceWeight.align(arenaBytes), bands.hostBytes());
    }
}
