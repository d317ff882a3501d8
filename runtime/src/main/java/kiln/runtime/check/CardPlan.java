package kiln.runtime.check;

import java.util.List;
import java.util.Objects;

/**
 * What drawing pictures of one size would take on a card that need not be there.
 *
 * @param networks in the order of their turns, without those that the CPU computes
 * @param calls of the denoiser for one batch
 */
public record CardPlan(int width, int height, Memory memory, Times times, List<Network> networks, int calls, double flopsPerPicture) {
    /**
     * How its memory is used; the peak is the sum of the three behind it.
     *
     * @param residency "resident", "medvram" or "lowvram": how long weights stay
     * @param shortage why it does not fit and what would, in one line; {@code null} when it fits
     * @param budgetBytes what may be used; {@link Long#MAX_VALUE} for as much as it takes
     * @param peakNetwork the network that needs most
     * @param contextBytes of the driver's context and the kernels, assumed
     * @param streamedBytesPerStep copied to the card at every step
     * @param turnBytesPerBatch copied as networks take turns
     */
    public record Memory(
            String residency,
            String shortage,
            long budgetBytes,
            long peakBytes,
            String peakNetwork,
            long contextBytes,
            long weightBytes,
            long resultBytes,
            long streamedBytesPerStep,
            long turnBytesPerBatch) {
        public Memory {
            Objects.requireNonNull(residency, "residency");
            Objects.requireNonNull(peakNetwork, "peakNetwork");
        }

        public boolean fits() {
            return shortage == null;
        }
    }

    /**
     * Predicted seconds.
     *
     * @param step computing, and copying meanwhile
     * @param computing a step's, if nothing had to be copied
     * @param copying a step's copies one after another
     * @param batch from the prompt to its pictures
     */
    public record Times(double step, double computing, double copying, double batch) {}

    /**
     * A network's share.
     *
     * @param flops of one run
     * @param residentBytes of weights that stay while it runs
     * @param slotBytes of each of the two places that the others are copied to by turns
     * @param inBands whether it runs in bands, for the sake of memory
     * @param weights in the order of their first use
     * @param units of weights that are copied together, in the order of their use
     * @param streamedBlocks which parts of it are copied: "input_blocks 1-5, 7"; empty where all stay
     */
    public record Network(
            String name,
            double flops,
            long weightBytes,
            long residentBytes,
            long slotBytes,
            long resultBytes,
            boolean inBands,
            List<Weight> weights,
            List<Unit> units,
            String streamedBlocks) {
        public Network {
            Objects.requireNonNull(name, "name");
            weights = List.copyOf(weights);
            units = List.copyOf(units);
            Objects.requireNonNull(streamedBlocks, "streamedBlocks");
        }

        public boolean streams() {
            return !units.isEmpty();
        }

        /** What crosses the bus in one run. */
        public long streamedBytes() {
            return units.stream().mapToLong(Unit::bytes).sum();
        }
    }

    /** How many places there are for weights that are copied. */
    public static final int SLOTS = 2;

    /** @param unit what it is copied with, −1 for one that stays */
    public record Weight(String name, long bytes, int unit) {
        public boolean stays() {
            return unit < 0;
        }

        /** Where it is copied to: units take the slots by turns. */
        public int slot() {
            return unit % SLOTS;
        }
    }

    /**
     * Weights that are copied together.
     *
     * @param bytes with what alignment adds
     * @param weights their names
     */
    public record Unit(long bytes, List<String> weights) {
        public Unit {
            weights = List.copyOf(weights);
        }
    }

    public CardPlan {
        Objects.requireNonNull(memory, "memory");
        Objects.requireNonNull(times, "times");
        networks = List.copyOf(networks);
    }
}
