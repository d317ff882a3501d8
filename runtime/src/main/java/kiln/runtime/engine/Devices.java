package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import kiln.kernels.CudaException;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NativeLoading;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnn;

/** The one place where it is decided what computes, by name or by what the machine has. */
public final class Devices {
    /** Names that {@link EngineOptions#executor()} may have. */
    public static final List<String> NAMES = List.of("auto", "cuda", "onednn", "reference");

    private Devices() {}

    /**
     * @param notices told in one line what a person may want to know while it is opened
     * @throws KilnException BAD_REQUEST for an unknown name, DEVICE or OUT_OF_MEMORY when the named one does not work here
     */
    public static Device open(EngineOptions options, Consumer<String> notices) {
        return switch (options.executor()) {
            case "reference", "onednn" -> new CpuDevice(options);
            case "cuda" -> CudaOpening.open(options, cudaNativesFolder(options), notices);
            case "auto" -> automatic(options, notices);
            default -> throw KilnException.badRequest("executor " + options.executor() + " is unknown: one of " + NAMES);
        };
    }

    /** An executor with a device of its own, closed with it. */
    public static Executor alone(EngineOptions options, WeightSource weights, Consumer<String> notices) {
        return LoneExecutor.open(open(options, notices), weights, notices);
    }

    /** The card when there is one that works; a card that does not is told of, and the CPU computes. */
    private static Device automatic(EngineOptions options, Consumer<String> notices) {
        if (CudaOpening.isWanted(options)) {
            try {
                return CudaOpening.open(options, cudaNativesFolder(options), notices);
            } catch (KilnException e) {
                if (options.device().device() != null) {
                    throw e;
                }
                notices.accept("the CPU computes: " + (e.getCause() instanceof CudaException ? e.getCause() : e).getMessage());
            }
        }
        return new CpuDevice(options);
    }

    /** Whether a card computes with these options; {@code true} also where one is asked for that cannot be used. */
    public static boolean useCard(EngineOptions options) {
        return options.executor().equals("cuda")
                || options.executor().equals("auto") && CudaOpening.explain(options, cudaNativesFolder(options)) != null;
    }

    /** @throws KilnException DEVICE or OUT_OF_MEMORY when no card can be used, and why */
    public static CudaOpening.Card openCard(EngineOptions options) {
        return CudaOpening.openCard(options, cudaNativesFolder(options));
    }

    /** What {@code auto} means here and why, in one line. */
    public static String explain(EngineOptions options) {
        NativeLoading.unpackInto(nativesFolder(options.cacheFolder()));
        String card = CudaOpening.explain(options, cudaNativesFolder(options));
        if (card != null) {
            return card;
        }
        String reason = OneDnn.unavailableBecause();
        if (reason != null) {
            return "plain Java, slow: " + reason;
        }
        String format = OneDnn.hasBf16() ? "bf16, which this CPU multiplies in hardware" : "f32, as this CPU has no bf16 instructions";
        return "oneDNN " + OneDnn.version() + " on " + OneDnn.instructionSet() + ": " + format;
    }

    public static Path cudaNativesFolder(EngineOptions options) {
        return nativesFolder(options.cacheFolder()).resolve("jcuda");
    }

    static Path nativesFolder(Path cacheFolder) {
        return cacheFolder.resolve("natives");
    }
}
