package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Chooses which weights of a network stay and how large the slots for the others are.
 *
 * <p>Those with the least work per byte stay, as many as fit: the others' copies hide behind their work. Small slots leave more room for
 * what stays; large ones let copies run further ahead. All sizes that make a difference are tried, and the run's predicted time decides.
 */
final class StreamSearch {
    /** Norms, biases and the like: a copy would cost more than the room. */
    static final long ALWAYS_RESIDENT_BELOW = 64 << 10;
    /** Times that differ by less are the same: fewer bytes on the bus are worth more than that. */
    private static final double EQUAL_TIME = 1.005;

    private final NetworkDemand demand;
    private final List<WeightUse> weights;
    /** Places of the weights that may be streamed, those with the least work per byte first. */
    private final List<Integer> byWork;

    StreamSearch(NetworkDemand demand) {
        this.demand = demand;
        weights = demand.weights();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            if (weights.get(i).bytes() >= ALWAYS_RESIDENT_BELOW) {
                order.add(i);
            }
        }
        order.sort(Comparator.comparingDouble((Integer i) -> weights.get(i).flops() / weights.get(i).bytes()).thenComparing(i -> i));
        byWork = List.copyOf(order);
    }

    /**
     * The fastest arrangement that takes no more than {@code most} bytes, slots included.
     *
     * @return empty when there is none
     */
    Optional<WeightPlaces> fastest(long most, CardRates rates) {
        WeightPlaces whole = WeightPlaces.resident(weights);
        if (whole.bytes() <= most) {
            return Optional.of(whole);
        }
        List<WeightPlaces> fitting = new ArrayList<>();
        for (long slot : slotSizes()) {
            WeightPlaces places = arranged(slot, most);
            if (places.bytes() <= most) {
                fitting.add(places);
            }
        }
        double[] seconds = fitting.stream().mapToDouble(places -> StreamTiming.seconds(demand, places, rates)).toArray();
        double best = Double.POSITIVE_INFINITY;
        for (double each : seconds) {
            best = Math.min(best, each);
        }
        WeightPlaces chosen = null;
        for (int i = 0; i < seconds.length; i++) {
            if (seconds[i] <= best * EQUAL_TIME && (chosen == null || fitting.get(i).streamedBytes() < chosen.streamedBytes())) {
                chosen = fitting.get(i);
            }
        }
        return Optional.ofNullable(chosen);
    }

    /** The arrangement that takes the least. */
    WeightPlaces smallest() {
        WeightPlaces smallest = WeightPlaces.resident(weights);
        for (long slot : slotSizes()) {
            WeightPlaces places = arranged(slot, 0);
            if (places.bytes() < smallest.bytes()) {
                smallest = places;
            }
        }
        return smallest;
    }

    /** Slots that hold one weight exactly, and twice that. */
    private TreeSet<Long> slotSizes() {
        TreeSet<Long> sizes = new TreeSet<>();
        for (int i : byWork) {
            long bytes = WeightPlaces.aligned(weights.get(i).bytes());
            sizes.add(bytes);
            sizes.add(2 * bytes);
        }
        return sizes;
    }

    /** Weights that are larger than the slot stay, as do those for which {@code most} leaves room. */
    private WeightPlaces arranged(long slot, long most) {
        BitSet streamed = new BitSet();
        long room = most - WeightPlaces.SLOTS * slot;
        for (int i = 0; i < weights.size(); i++) {
            long bytes = WeightPlaces.aligned(weights.get(i).bytes());
            if (weights.get(i).bytes() >= ALWAYS_RESIDENT_BELOW && bytes <= slot) {
                streamed.set(i);
            } else {
                room -= bytes;
            }
        }
        for (int i : byWork) {
            long bytes = WeightPlaces.aligned(weights.get(i).bytes());
            if (streamed.get(i) && bytes <= room) {
                streamed.clear(i);
                room -= bytes;
            }
        }
        return WeightPlaces.of(weights, streamed::get, slot);
    }
}
