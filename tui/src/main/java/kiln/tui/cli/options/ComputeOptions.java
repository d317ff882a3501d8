package kiln.tui.cli.options;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.Devices;
import picocli.CommandLine.Option;

/** Options that say how to compute, understood by every command. */
public final class ComputeOptions {
    @Option(
            names = "--executor",
            paramLabel = "EXECUTOR",
            completionCandidates = Choices.ExecutorNames.class,
            description = "auto, cuda, onednn or reference (plain Java, slow). Default: auto.")
    String executor = "auto";

    @Option(
            names = "--precision",
            paramLabel = "TYPE",
            completionCandidates = Choices.Precisions.class,
            description = "auto, f32 or bf16; A1111's full, half and autocast are understood. Default: auto.")
    String precision = "auto";

    @Option(names = "--no-half", description = "Compute in f32, and keep weights so.")
    boolean noHalf;

    @Option(
            names = "--lowram",
            description = "On a CPU without bf16, keep 16-bit weights in 16 bits and widen them at each use: half the memory.")
    boolean lowram;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with. Default: one per core.")
    int threads;

    @Option(
            names = "--use-cpu",
            paramLabel = "PART",
            split = ",",
            description = "What the CPU computes even with a card: text, unet, vae or all. A1111's other words are understood.")
    List<String> cpuParts = new ArrayList<>();

    String executor() {
        String name = executor.toLowerCase(Locale.ROOT);
        if (!Devices.NAMES.contains(name)) {
            throw KilnException.badRequest("unknown executor '" + executor + "'" + NearestName.hint(name, Devices.NAMES) + " ("
                    + String.join(", ", Devices.NAMES) + ")");
        }
        return name;
    }

    Precision precision() {
        Precision named = switch (precision.toLowerCase(Locale.ROOT)) {
            // "half" is f16 on a GPU; here it leaves the choice of the fast type to the executor.
            case "auto", "autocast", "half" -> Precision.AUTO;
            case "full", "f32", "fp32", "float32" -> Precision.F32;
            case "bf16", "bfloat16" -> Precision.BF16;
            case "f16", "fp16", "float16" -> Precision.F16;
            default -> throw KilnException.badRequest(
                    "unknown precision '" + precision + "': give auto, f32 or bf16 (or full, half, autocast)");
        };
        boolean half = precision.equalsIgnoreCase("half") || named == Precision.BF16 || named == Precision.F16;
        if (noHalf && half) {
            throw KilnException.badRequest("--no-half and --precision " + precision + " contradict each other");
        }
        return noHalf ? Precision.F32 : named;
    }

    /** Whether a word means something behind {@code --use-cpu}. */
    public static boolean isCpuPart(String word) {
        return cpuPart(word) != null;
    }

    /** The networks that stay on the CPU. */
    Set<NetworkPart> cpuParts() {
        Set<NetworkPart> parts = EnumSet.noneOf(NetworkPart.class);
        for (String word : cpuParts) {
            if (!isCpuPart(word)) {
                throw KilnException.badRequest("--use-cpu '" + word + "' is unknown: give text, unet, vae or all");
            }
            parts.addAll(cpuPart(word));
        }
        return parts;
    }

    /** A1111's words, whose "sd" is the whole model, and ours for its parts; {@code null} for other words. */
    private static Set<NetworkPart> cpuPart(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "all", "sd" -> EnumSet.allOf(NetworkPart.class);
            case "text" -> EnumSet.of(NetworkPart.TEXT_ENCODER);
            case "unet" -> EnumSet.of(NetworkPart.UNET);
            case "vae" -> EnumSet.of(NetworkPart.VAE);
            // Things that Kiln does not have.
            case "interrogate", "gfpgan", "esrgan", "codeformer", "swinir", "scunet", "bsrgan", "dat" -> Set.of();
            default -> null;
        };
    }

    int threads() {
        if (threads < 0 || threads > 1024) {
            throw KilnException.badRequest("--threads " + threads + " is outside 0 (one per core) to 1024");
        }
        return threads;
    }
}
