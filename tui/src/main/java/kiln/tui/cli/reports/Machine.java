package kiln.tui.cli.reports;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * This machine's processor and memory as Linux tells them; elsewhere most is unknown.
 *
 * @param cpu the processor's name; "unknown" where it is
 * @param cpuFeatures the instruction sets that matter to Kiln, by Linux' names
 * @param memoryBytes of the machine; −1 when unknown, as the two below
 * @param availableBytes what could be taken without swapping
 * @param limitBytes what a container allows; −1 also when it allows everything
 */
public record Machine(String cpu, Set<String> cpuFeatures, int threads, long memoryBytes, long availableBytes, long limitBytes) {
    private static final Set<String> FEATURES = Set.of(
            "sse4_1", "avx", "avx2", "f16c", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx_vnni", "avx512_bf16",
            "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "asimd", "asimdhp", "bf16", "sve", "i8mm");
    private static final List<String> LIMIT_FILES =
            List.of("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes");
    /** Cgroups of version 1 write "no limit" as the largest number of whole pages. */
    private static final long NO_LIMIT = 1L << 60;

    public static Machine read() {
        return read(Path.of("/"));
    }

    /** @param root where {@code proc} and {@code sys} are */
    static Machine read(Path root) {
        String cpuInfo = text(root.resolve("proc/cpuinfo"));
        Set<String> features = new TreeSet<>(List.of(field(cpuInfo, "flags|Features").split(" ")));
        features.retainAll(FEATURES);
        String name = field(cpuInfo, "model name");
        String memory = text(root.resolve("proc/meminfo"));
        long limit = -1;
        for (String file : LIMIT_FILES) {
            long bytes = number(text(root.resolve(file)).strip());
            if (bytes > 0 && bytes < NO_LIMIT) {
                limit = bytes;
                break;
            }
        }
        return new Machine(
                name.isEmpty() ? "unknown" : name,
                features,
                Runtime.getRuntime().availableProcessors(),
                kibibytes(field(memory, "MemTotal")),
                kibibytes(field(memory, "MemAvailable")),
                limit);
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /** The first value of "name : value". */
    private static String field(String text, String name) {
        Matcher field = Pattern.compile("(?m)^(?:" + name + ")\\s*:\\s*(.*?)\\s*$").matcher(text);
        return field.find() ? field.group(1) : "";
    }

    private static long kibibytes(String text) {
        long value = number(text.replace("kB", "").strip());
        return value < 0 ? -1 : value * 1024;
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
