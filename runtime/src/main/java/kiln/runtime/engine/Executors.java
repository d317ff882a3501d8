package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import kiln.kernels.CudaException;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;

/** The one place where an executor is picked, by name or by what the machine has. */
public final class Executors {
    /** Names that {@link EngineOptions#executor()} may have. */
    public static final List<String> NAMES = List.of("auto", "cuda", "onednn", "reference");

    private Executors() {}

    /**
     * @param notices told in one line what a person may want to know while the executor works
     * @throws KilnException BAD_REQUEST for an unknown name, DEVICE when the named one does not work here
     */
    public static Executor create(EngineOptions options, WeightSource weights, Consumer<String> notices) {
        OneDnn.cacheFolder(nativesFolder(options.cacheFolder()));
        switch (options.executor()) {
            case "reference":
                return new ReferenceExecutor(weights);
            case "onednn":
                if (OneDnn.unavailableBecause() != null) {
                    throw new KilnException(
                            KilnException.Category.DEVICE, OneDnn.unavailableBecause() + ": --executor reference works anywhere, slowly");
                }
                return new OneDnnExecutor(weights, options.precision());
            case "cuda":
                return CudaOpening.open(options, weights, cudaNativesFolder(options), notices);
            case "auto":
                return automatic(options, weights, notices);
            default:
                throw KilnException.badRequest("executor " + options.executor() + " is unknown: one of " + NAMES);
        }
    }

    /** The card when there is one that works; a card that does not is told of, and the CPU computes. */
    private static Executor automatic(EngineOptions options, WeightSource weights, Consumer<String> notices) {
        if (CudaOpening.isWanted(options)) {
            try {
                return CudaOpening.open(options, weights, cudaNativesFolder(options), notices);
            } catch (KilnException e) {
                if (options.device().device() != null) {
                    throw e;
                }
                notices.accept("the CPU computes: " + (e.getCause() instanceof CudaException ? e.getCause() : e).getMessage());
            }
        }
        return onCpu(options, weights);
    }

    /** oneDNN where it loads, else plain Java. */
    static Executor onCpu(EngineOptions options, WeightSource weights) {
        return OneDnn.unavailableBecause() == null ? new OneDnnExecutor(weights, options.precision()) : new ReferenceExecutor(weights);
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
        OneDnn.cacheFolder(nativesFolder(options.cacheFolder()));
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

    private static Path nativesFolder(Path cacheFolder) {
        return cacheFolder.resolve("natives");
    }
}
