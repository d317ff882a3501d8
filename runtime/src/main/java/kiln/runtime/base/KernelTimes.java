package kiln.runtime.base;

import java.util.List;
import java.util.Objects;

/**
 * How long a card's kernels take.
 *
 * @param busBytesPerSecond from pinned memory to the card
 * @param memoryBytesPerSecond of a copy on the card, read and written bytes counted
 */
public record KernelTimes(String card, double busBytesPerSecond, double memoryBytesPerSecond, List<Row> rows) {
    /**
     * A kernel's launches of one kind.
     *
     * @param group the network's name, "attention" or "others"
     * @param text the node and its sizes, for people
     * @param count of such launches in one run of the network; 0 where it belongs to none
     * @param seconds of one launch: the median
     * @param least of one launch
     * @param flops of one launch
     * @param bytes that one launch must move at least
     * @param share of the network's time, 0 to 1; 0 where it belongs to none
     */
    public record Row(
            String group,
            String kernel,
            String variant,
            String text,
            int count,
            double seconds,
            double least,
            double flops,
            double bytes,
            double share) {
        public double flopsPerSecond() {
            return flops / seconds;
        }

        public double bytesPerSecond() {
            return bytes / seconds;
        }
    }

    public KernelTimes {
        Objects.requireNonNull(card, "card");
        rows = List.copyOf(rows);
    }
}
