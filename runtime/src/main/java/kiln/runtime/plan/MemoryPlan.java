package kiln.runtime.plan;

import java.util.function.ToIntFunction;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

public final class MemoryPlan {
    private final long[] offsets;
    private final long bytes;

    private MemoryPlan(long[] offsets, long bytes) {
        this.offsets = offsets;
        this.bytes = bytes;
    }

    public static MemoryPlan of(Graph graph, ToIntFunction<Node> bytesPerElement) {
        long[] offsets = new long[graph.nodes().size()];
        long top = 0;
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = top;
            top += (graph.shapeOf(i).elements() * bytesPerElement.applyAsInt(graph.node(i)) + 63) / 64 * 64;
        }
        return new MemoryPlan(offsets, top);
    }

    public long offset(int node) {
        return offsets[node];
    }

    public long arenaBytes() {
        return bytes;
    }
}
