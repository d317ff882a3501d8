package kiln.runtime.exec.cuda.program;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.runtime.graph.Graph;
import kiln.runtime.plan.MemoryPlan;

/**
 * A graph as the commands that compute it, in order. Their addresses are symbols ({@link Address}) until it is bound to places on a card, so
 * that it can be counted without a card and moved without being written anew. Immutable.
 *
 * @param graph the fused one
 * @param plan where results lie in the arena
 * @param weights in the order of first use; a symbol's index counts them
 * @param arenaBytes of one block that holds the results and what nodes need while they run
 * @param hostBytes of a block of pinned memory that holds the results for which the arena is too small; 0 as a rule
 */
public record DeviceProgram(
        Graph graph, DataType type, MemoryPlan plan, List<Step> steps, List<DeviceWeight> weights, long arenaBytes, long hostBytes) {
    /**
     * Commands of a node: all of them, or those of a band of its result's rows.
     *
     * @param weights that they read
     */
    public record Step(int node, double flops, List<DeviceCommand> commands, List<Integer> weights) {
        public Step {
            commands = List.copyOf(commands);
            weights = List.copyOf(weights);
        }
    }

    public DeviceProgram {
        steps = List.copyOf(steps);
        weights = List.copyOf(weights);
    }

    /** How an element of a node's result is stored. */
    public DataType typeOf(int node) {
        return Lowering.typeOf(graph.node(node), type);
    }

    public Set<Kernel> kernels() {
        Set<Kernel> kernels = new LinkedHashSet<>();
        for (Step step : steps) {
            for (DeviceCommand command : step.commands()) {
                if (command instanceof DeviceCommand.Launch launch) {
                    kernels.add(launch.call().kernel());
                }
            }
        }
        return kernels;
    }

    /**
     * Where a symbol lies.
     *
     * @param arena address of a block of {@link #arenaBytes}
     * @param weights address of each weight
     */
    public static LongUnaryOperator places(long arena, long[] weights) {
        return symbol -> {
            if (!Address.isSymbol(symbol)) {
                return symbol;
            }
            long offset = Address.offset(symbol);
            return switch (Address.region(symbol)) {
                case ARENA -> arena + offset;
                case WEIGHT -> weights[Address.index(symbol)] + offset;
            };
        };
    }
}
