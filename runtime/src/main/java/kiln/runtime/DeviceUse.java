package kiln.runtime;

import java.util.Objects;

/**
 * A card at one moment. Bytes of memory.
 *
 * @param name of the card
 * @param residency "resident", "medvram" or "lowvram"; empty while nothing has run
 * @param usedBytes by Kiln, its context included
 * @param peakBytes the most that Kiln has used
 * @param freeBytes for anyone
 */
public record DeviceUse(String name, String residency, long usedBytes, long peakBytes, long freeBytes, long totalBytes) {
    public DeviceUse {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(residency, "residency");
    }

    /** "1.2 GiB used (most 1.4), 0.6 of 2.0 GiB free, lowvram". */
    public String memoryText() {
        String text = ByteSize.format(usedBytes) + " used (most " + ByteSize.format(peakBytes) + "), " + ByteSize.format(freeBytes) + " of "
                + ByteSize.format(totalBytes) + " free";
        return residency.isEmpty() ? text : text + ", " + residency;
    }
}
