package kiln.tui.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import kiln.runtime.Executors;
import kiln.runtime.KilnException;
import kiln.runtime.Precision;
import picocli.CommandLine.Option;

/** Options that say how to compute, understood by every command. */
final class ComputeOptions {
    /** What A1111 takes after {@code --use-cpu}; everything runs on the CPU so far, whichever is given. */
    static final Set<String> CPU_PARTS =
            Set.of("all", "sd", "interrogate", "gfpgan", "esrgan", "codeformer", "swinir", "scunet", "bsrgan", "dat");

    @Option(
            names = "--executor",
            paramLabel = "EXECUTOR",
            completionCandidates = Choices.ExecutorNames.class,
            description = "auto, onednn or reference (plain Java, slow). Default: auto.")
    String executor = "auto";

    @Option(
            names = "--precision",
            paramLabel = "TYPE",
            completionCandidates = Choices.Precisions.class,
            description = "auto, f32 or bf16; A1111's full, half and autocast are understood. Default: auto.")
    String precision = "auto";

    @Option(names = "--no-half", description = "Compute in f32, as --precision f32.")
    boolean noHalf;

    @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with. Default: one per core.")
    int threads;

    @Option(names = "--use-cpu", paramLabel = "PART", split = ",", hidden = true, description = "Parts that A1111 keeps on the CPU.")
    List<String> cpuParts = new ArrayList<>();

    String executor() {
        String name = executor.toLowerCase(Locale.ROOT);
        if (!Executors.NAMES.contains(name)) {
            throw KilnException.badRequest("unknown executor '" + executor + "'" + NearestName.hint(name, Executors.NAMES) + " ("
                    + String.join(", ", Executors.NAMES) + ")");
        }
        return name;
    }

    Precision precision() {
        if (noHalf) {
            return Precision.F32;
        }
        return switch (precision.toLowerCase(Locale.ROOT)) {
            // "half" is f16 on a GPU; here it leaves the choice of the fast type to the executor.
            case "auto", "autocast", "half" -> Precision.AUTO;
            case "full", "f32", "fp32", "float32" -> Precision.F32;
            case "bf16", "bfloat16" -> Precision.BF16;
            case "f16", "fp16", "float16" -> Precision.F16;
            default -> throw KilnException.badRequest(
                    "unknown precision '" + precision + "': give auto, f32 or bf16 (or full, half, autocast)");
        };
    }

    int threads() {
        if (threads < 0 || threads > 1024) {
            throw KilnException.badRequest("--threads " + threads + " is outside 0 (one per core) to 1024");
        }
        return threads;
    }
}
