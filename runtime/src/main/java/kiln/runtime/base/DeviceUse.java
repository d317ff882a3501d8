package kiln.runtime.base;

import java.util.Objects;

/**
 * A card at one moment. Bytes of memory.
 *
 * @param name of the card
 * @param residency "resident", "medvram" or "lowvram"; empty while nothing has run
 * @param usedBytes by Kiln, its context included
 * @param peakBytes the most that Kiln has used
 * @param freeBytes for anyone
 * @param streamedBytesPerStep of weights that go to the card anew at each step; 0 where all stay
 */
public record DeviceUse(
        String name, String residency, long usedBytes, long peakBytes, long freeBytes, long totalBytes, long streamedBytesPerStep) {
    public DeviceUse {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(residency, "residency");
    }

    /** What everyone uses of the card together. */
    public long takenBytes() {
        return totalBytes - freeBytes;
    }

    /** What everyone uses, of a hundred. */
    public int takenPercent() {
        return totalBytes == 0 ? 0 : (int) Math.round(100.0 * takenBytes() / totalBytes);
    }

    /** "1.1 GiB used, 1.3 GiB peak, 1.9/2.0 GiB on the card (95%)": the first two Kiln's own, the last everyone's. */
    public String memoryText() {
        return ByteSize.format(usedBytes) + " used, " + ByteSize.format(peakBytes) + " peak, " + ByteSize.formatOf(takenBytes(), totalBytes)
                + " on the card (" + takenPercent() + "%)";
    }
}
