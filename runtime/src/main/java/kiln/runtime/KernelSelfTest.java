package kiln.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.Kernel;
import kiln.kernels.cases.CaseReplay;
import kiln.kernels.cases.KernelCase;
import kiln.kernels.cases.KernelCases;
import kiln.kernels.op.KernelLibrary;
import kiln.runtime.exec.cuda.CudaExecutor;

/**
 * Replays the cases of the CUDA kernels on a card and compares them with what plain Java computes. Kernels that need a newer card are left
 * out.
 */
public final class KernelSelfTest {
    /**
     * How one case went.
     *
     * @param name what is special about the case's sizes
     * @param error of the element that is furthest off, in terms of what is allowed there; NaN when it could not be computed
     * @param message which element is wrong, or why it could not be computed; {@code null} when all is well
     */
    public record Case(String kernel, String variant, String name, double error, double allowed, boolean ok, String message) {}

    /** @param leftOut kernels, variants counted, that this card is too old for */
    public record Result(String card, List<Case> cases, int leftOut) {
        public Result {
            cases = List.copyOf(cases);
        }
    }

    private final Supplier<CudaContext> cards;
    private final Selection selection;
    private final Consumer<Case> listener;
    private CudaContext context;
    private CaseReplay replay;

    private KernelSelfTest(Supplier<CudaContext> cards, Selection selection, Consumer<Case> listener) {
        this.cards = cards;
        this.selection = selection;
        this.listener = listener;
    }

    /**
     * Replays on the card that the options choose.
     *
     * @param selection of "kernel:", its name and its variant
     * @param listener told each case as soon as it is done
     * @throws KilnException DEVICE or OUT_OF_MEMORY when no card can be used
     */
    public static Result run(EngineOptions options, Selection selection, Consumer<Case> listener) {
        return run(() -> Executors.openCard(options).context(), selection, listener);
    }

    /** @param cards opens the card, more than once: after a fault a context is of no use; all are closed here */
    static Result run(Supplier<CudaContext> cards, Selection selection, Consumer<Case> listener) {
        KernelSelfTest test = new KernelSelfTest(cards, selection, listener);
        try {
            return test.run();
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        } finally {
            test.close();
        }
    }

    private Result run() {
        open();
        String card = context.device().name();
        List<Case> results = new ArrayList<>();
        int leftOut = 0;
        for (Kernel kernel : KernelLibrary.all()) {
            if (!selection.takes("kernel: " + kernel.name() + " " + kernel.variant())) {
                continue;
            }
            boolean runs = true;
            for (KernelCase kernelCase : KernelCases.of(kernel)) {
                runs &= replay.canRun(kernelCase);
                if (replay.canRun(kernelCase)) {
                    Case result = replay(kernelCase);
                    results.add(result);
                    listener.accept(result);
                }
            }
            leftOut += runs ? 0 : 1;
        }
        return new Result(card, results, leftOut);
    }

    private Case replay(KernelCase kernelCase) {
        String name = kernelCase.kernel().name();
        String variant = kernelCase.kernel().variant();
        try {
            CaseReplay.Outcome outcome = replay.replay(kernelCase);
            String message = outcome.ok() ? null : outcome.toString();
            return new Case(name, variant, kernelCase.size(), outcome.error(), outcome.allowed(), outcome.ok(), message);
        } catch (CudaException e) {
            close();
            open();
            return new Case(name, variant, kernelCase.size(), Double.NaN, 0, false, e.getMessage());
        }
    }

    private void open() {
        context = cards.get();
        replay = new CaseReplay(context);
    }

    private void close() {
        if (context == null) {
            return;
        }
        try {
            if (replay != null) {
                replay.close();
            }
            context.close();
        } catch (CudaException e) {
            // After a fault the driver refuses even to tidy up; the context goes with the process at the latest.
        } finally {
            replay = null;
            context = null;
        }
    }
}
