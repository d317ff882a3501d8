package kiln.runtime.exec.cuda.residence;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** What the machine has besides the card. */
public final class HostMemory {
    private HostMemory() {}

    /** What Linux says can be had without swapping; empty elsewhere. */
    public static OptionalLong availableBytes() {
        return bytes(Path.of("/proc/meminfo"), "MemAvailable:");
    }

    /**
     * A figure that Linux gives in kilobytes, a line each.
     *
     * @param field with its colon
     */
    public static OptionalLong bytes(Path file, String field) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(field)) {
                    return OptionalLong.of(Long.parseLong(line.replaceAll("\\D", "")) * 1024);
                }
            }
        } catch (IOException | NumberFormatException e) {
            return OptionalLong.empty();
        }
        return OptionalLong.empty();
    }
}
