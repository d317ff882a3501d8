package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A place for each parameter of a network: in one block those that stay, in two slots by turns those that are copied at every run.
 *
 * @param placements in the order of the demand's weights
 * @param units in the order of their use; empty when everything stays
 * @param blockBytes of those that stay
 * @param slotBytes of each of the two slots: the largest unit; 0 when everything stays
 */
public record WeightPlaces(List<Placement> placements, List<StreamUnit> units, long blockBytes, long slotBytes) {
    /** What the driver aligns its own allocations to. */
    public static final long ALIGNMENT = 256;

    public static final int SLOTS = 2;

    public WeightPlaces {
        placements = List.copyOf(placements);
        units = List.copyOf(units);
    }

    static long aligned(long bytes) {
        return Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    static int slotOf(int unit) {
        return unit % SLOTS;
    }

    static WeightPlaces resident(List<WeightUse> weights) {
        return of(weights, i -> false, 0);
    }

    /**
     * @param streamed which weights are copied at every run
     * @param unitLimit the largest unit: weights are put together while they fit it; one that is larger is a unit of its own
     */
    static WeightPlaces of(List<WeightUse> weights, IntPredicate streamed, long unitLimit) {
        List<Placement> placements = new ArrayList<>();
        List<StreamUnit> units = new ArrayList<>();
        List<Integer> together = new ArrayList<>();
        long unitBytes = 0;
        long blockBytes = 0;
        long slotBytes = 0;
        for (int i = 0; i < weights.size(); i++) {
            long bytes = aligned(weights.get(i).bytes());
            if (!streamed.test(i)) {
                placements.add(new Placement(-1, blockBytes));
                blockBytes += bytes;
                continue;
            }
            if (!together.isEmpty() && unitBytes + bytes > unitLimit) {
                units.add(new StreamUnit(together, unitBytes));
                together.clear();
                unitBytes = 0;
            }
            placements.add(new Placement(units.size(), unitBytes));
            together.add(i);
            unitBytes += bytes;
            slotBytes = Math.max(slotBytes, unitBytes);
        }
        if (!together.isEmpty()) {
            units.add(new StreamUnit(together, unitBytes));
        }
        return new WeightPlaces(placements, units, blockBytes, slotBytes);
    }

    /** What all of it takes on the device. */
    public long bytes() {
        return blockBytes + SLOTS * slotBytes;
    }

    /** What crosses the bus in one run. */
    public long streamedBytes() {
        return units.stream().mapToLong(StreamUnit::bytes).sum();
    }
}
