package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

/**
 * A place in one arena for each result of a graph, such that results that live at the same time do not overlap.
 *
 * <p>A result lives from its node to the last node that reads it; inputs live from the start, outputs to the end. Places are given to the
 * largest results first, each the lowest gap that fits (greedy by size: Pisarchyk and Lee 2020).
 */
public final class MemoryPlan {
    private static final int ALIGNMENT = 64;

    private final int nodes;
    private final long[] offsets;
    private final long[] bytes;
    private final int[] lastUses;
    private final long[] tops;
    private final long arenaBytes;
    private final long liveBytes;

    /**
     * Something that has a place besides the results.
     *
     * @param firstUse the first node that uses it, {@code lastUse} the last one
     */
    public record Beside(long bytes, int firstUse, int lastUse) {
        public Beside {
            if (bytes < 0 || firstUse < 0 || lastUse < firstUse) {
                throw new IllegalArgumentException(bytes + " bytes from node " + firstUse + " to " + lastUse);
            }
        }
    }

    private MemoryPlan(int nodes, long[] offsets, long[] bytes, int[] lastUses, long[] tops, long arenaBytes, long liveBytes) {
        this.nodes = nodes;
        this.offsets = offsets;
        this.bytes = bytes;
        this.lastUses = lastUses;
        this.tops = tops;
        this.arenaBytes = arenaBytes;
        this.liveBytes = liveBytes;
    }

    /**
     * @param bytesPerElement of each node's result, by the node's index; 0 for results that lie elsewhere
     */
    public static MemoryPlan of(Graph graph, IntUnaryOperator bytesPerElement) {
        return of(graph, i -> Math.multiplyExact(graph.shapeOf(i).elements(), bytesPerElement.applyAsInt(i)), List.of());
    }

    /**
     * @param resultBytes of each node's result, by the node's index; 0 for results that lie elsewhere
     */
    public static MemoryPlan of(Graph graph, IntToLongFunction resultBytes, List<Beside> besides) {
        int count = graph.nodes().size();
        long[] bytes = new long[count + besides.size()];
        int[] firstUses = new int[bytes.length];
        int[] lastUses = new int[bytes.length];
        for (int i = 0; i < count; i++) {
            bytes[i] = aligned(resultBytes.applyAsLong(i));
            firstUses[i] = i;
            lastUses[i] = i;
            int reader = i;
            graph.node(i).reads().forEach(read -> lastUses[read] = reader);
        }
        graph.inputs().values().forEach(input -> firstUses[input] = 0);
        graph.outputs().values().forEach(output -> lastUses[output] = count);
        for (int i = 0; i < besides.size(); i++) {
            bytes[count + i] = aligned(besides.get(i).bytes());
            firstUses[count + i] = besides.get(i).firstUse();
            lastUses[count + i] = besides.get(i).lastUse();
        }
        return place(count, bytes, firstUses, lastUses);
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static MemoryPlan place(int nodes, long[] bytes, int[] firstUses, int[] lastUses) {
        Integer[] bySize = new Integer[bytes.length];
        Arrays.setAll(bySize, i -> i);
        Arrays.sort(bySize, Comparator.comparingLong((Integer i) -> -bytes[i]).thenComparingInt(i -> i));
        long[] offsets = new long[bytes.length];
        long arena = 0;
        List<Integer> placed = new ArrayList<>();
        for (int result : bySize) {
            List<Integer> beside = placed.stream()
                    .filter(other -> firstUses[other] <= lastUses[result] && firstUses[result] <= lastUses[other])
                    .sorted(Comparator.comparingLong(other -> offsets[other]))
                    .toList();
            long at = 0;
            for (int other : beside) {
                if (at + bytes[result] <= offsets[other]) {
                    break;
                }
                at = Math.max(at, offsets[other] + bytes[other]);
            }
            offsets[result] = at;
            arena = Math.max(arena, at + bytes[result]);
            placed.add(result);
        }
        return new MemoryPlan(
                nodes, offsets, bytes, lastUses, tops(nodes, offsets, bytes, firstUses, lastUses), arena, mostAlive(nodes, bytes, firstUses, lastUses));
    }

    private static long[] tops(int nodes, long[] offsets, long[] bytes, int[] firstUses, int[] lastUses) {
        long[] tops = new long[nodes];
        for (int result = 0; result < bytes.length; result++) {
            for (int node = firstUses[result]; node <= Math.min(lastUses[result], nodes - 1); node++) {
                tops[node] = Math.max(tops[node], offsets[result] + bytes[result]);
            }
        }
        return tops;
    }

    private static long mostAlive(int nodes, long[] bytes, int[] firstUses, int[] lastUses) {
        long[] change = new long[nodes + 2];
        for (int i = 0; i < bytes.length; i++) {
            change[firstUses[i]] += bytes[i];
            change[lastUses[i] + 1] -= bytes[i];
        }
        long alive = 0;
        long most = 0;
        for (long delta : change) {
            alive += delta;
            most = Math.max(most, alive);
        }
        return most;
    }

    /** Where a node's result lies, a multiple of 64 bytes. */
    public long offset(int node) {
        return offsets[node];
    }

    /** Where what was given besides the results lies, by its number. */
    public long besideOffset(int number) {
        return offsets[nodes + number];
    }

    /** How much room it takes, rounded up to 64 bytes. */
    public long bytes(int node) {
        return bytes[node];
    }

    /** The last node that reads it; the number of nodes for outputs. */
    public int lastUse(int node) {
        return lastUses[node];
    }

    /** While a node runs, nothing that is alive lies behind this: there is room for what it needs besides. */
    public long top(int node) {
        return tops[node];
    }

    /** The arena's size. */
    public long arenaBytes() {
        return arenaBytes;
    }

    /** The most bytes alive at one time: no plan can do with less. */
    public long liveBytes() {
        return liveBytes;
    }
}
