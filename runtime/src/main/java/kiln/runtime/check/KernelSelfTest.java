package kiln.runtime.check;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.Kernel;
import kiln.kernels.cases.CaseReplay;
import kiln.kernels.cases.KernelCase;
import kiln.kernels.cases.KernelCases;
import kiln.kernels.cases.KernelLibrary;
import kiln.kernels.op.Card;
import kiln.kernels.probe.Judgement;
import kiln.kernels.probe.Probe;
import kiln.kernels.probe.ProbeReplay;
import kiln.kernels.probe.Probes;
import kiln.kernels.probe.Vectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.Selection;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.CudaExecutor;

/**
 * Replays the cases of the CUDA kernels that networks run on this card, and of the library's ({@link ProvenKernels}), and compares them with
 * what plain Java computes, and so each instruction that they compute with. Kernels and instructions that need a newer card are left out.
 */
public final class KernelSelfTest {
    /** Instead of a kernel's name in the cases of instructions, whose variant is the instruction. */
    private static final String INSTRUCTION = "instruction";

    /**
     * How one case went.
     *
     * @param name what is special about the case's sizes
     * @param error of the element that is furthest off, in terms of what is allowed there; NaN when it could not be computed
     * @param message which element is wrong, or why it could not be computed; {@code null} when all is well
     */
    public record Case(String kernel, String variant, String name, double error, double allowed, boolean ok, String message) {}

    /**
     * @param leftOut kernels, variants counted, that this card is too old for
     * @param vectors what the instructions gave; {@code null} when none was asked for
     */
    public record Result(String card, List<Case> cases, int leftOut, Vectors vectors) {
        /** Where no card computes. */
        public static final Result NONE = new Result("", List.of(), 0, null);

        public Result {
            cases = List.copyOf(cases);
        }

        /**
         * Writes what the instructions gave into a folder, as "sm_90.vectors".
         *
         * @return the file
         * @throws KilnException BAD_REQUEST when no instruction was tested, STORAGE when the folder cannot be written to
         */
        public Path writeVectors(Path folder) {
            if (vectors == null) {
                throw KilnException.badRequest("--vectors needs instructions among what --only chooses: 'instruction:'");
            }
            try {
                return vectors.write(folder);
            } catch (IOException e) {
                throw new KilnException(Category.STORAGE, "cannot write to " + folder + " (" + e.getMessage() + "): name another folder", e);
            }
        }
    }

    private final Supplier<CudaContext> cards;
    private final Selection selection;
    private final Consumer<Case> listener;
    private final List<Case> results = new ArrayList<>();
    private CudaContext context;
    private CaseReplay replay;
    private ProbeReplay probes;

    private KernelSelfTest(Supplier<CudaContext> cards, Selection selection, Consumer<Case> listener) {
        this.cards = cards;
        this.selection = selection;
        this.listener = listener;
    }

    /**
     * Replays on the card that the options choose.
     *
     * @param selection of "kernel:", its name and its variant, or "instruction:" and its name
     * @param listener told each case as soon as it is done
     * @throws KilnException DEVICE or OUT_OF_MEMORY when no card can be used
     */
    public static Result run(EngineOptions options, Selection selection, Consumer<Case> listener) {
        return run(() -> Devices.openCard(options).context(), selection, listener);
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
        int leftOut = runKernels();
        Vectors vectors = runInstructions(card);
        return new Result(card, results, leftOut, vectors);
    }

    /** Returns how many were left out. */
    private int runKernels() {
        int leftOut = 0;
        for (Kernel kernel : ProvenKernels.of(Card.of(context))) {
            if (!selection.takes("kernel: " + kernel.name() + " " + kernel.variant())) {
                continue;
            }
            boolean runs = true;
            for (KernelCase kernelCase : KernelCases.of(kernel)) {
                runs &= replay.canRun(kernelCase);
                if (replay.canRun(kernelCase)) {
                    add(kernel.name(), kernel.variant(), kernelCase.size(), () -> replay(kernelCase));
                }
            }
            leftOut += runs ? 0 : 1;
        }
        return leftOut;
    }

    private Vectors runInstructions(String card) {
        Map<String, Vectors.Entry> taken = new LinkedHashMap<>();
        boolean any = false;
        for (Probe probe : Probes.all()) {
            if (selection.takes(INSTRUCTION + ": " + probe.instruction()) && probes.canRun(probe)) {
                any = true;
                add(INSTRUCTION, probe.instruction(), probe.rows() + " operands", () -> replay(probe, taken));
            }
        }
        return any ? new Vectors(probes.capability(), card, taken) : null;
    }

    /** @param run may throw {@link CudaException} */
    private void add(String name, String variant, String size, Supplier<Case> run) {
        Case result;
        try {
            result = run.get();
        } catch (CudaException e) {
            close();
            open();
            result = new Case(name, variant, size, Double.NaN, 0, false, e.getMessage());
        }
        results.add(result);
        listener.accept(result);
    }

    private Case replay(KernelCase kernelCase) {
        CaseReplay.Outcome outcome = replay.replay(kernelCase);
        String message = outcome.ok() ? null : outcome.toString();
        Kernel kernel = kernelCase.kernel();
        return new Case(kernel.name(), kernel.variant(), kernelCase.size(), outcome.error(), outcome.allowed(), outcome.ok(), message);
    }

    private Case replay(Probe probe, Map<String, Vectors.Entry> taken) {
        int[] values = probes.results(probe);
        taken.put(probe.instruction(), Vectors.entry(probe, values));
        Judgement judgement = probe.judge(values);
        String message = judgement.ok() ? null : judgement.wrong() + " of " + judgement.values() + " are wrong: " + judgement.message();
        double error = judgement.ok() ? judgement.error() : Double.NaN;
        return new Case(INSTRUCTION, probe.instruction(), probe.rows() + " operands", error, judgement.allowed(), judgement.ok(), message);
    }

    private void open() {
        context = cards.get();
        replay = new CaseReplay(context);
        probes = new ProbeReplay(context);
    }

    private void close() {
        if (context == null) {
            return;
        }
        try {
            if (probes != null) {
                probes.close();
            }
            if (replay != null) {
                replay.close();
            }
            context.close();
        } catch (CudaException e) {
            // After a fault the driver refuses even to tidy up; the context goes with the process at the latest.
        } finally {
            probes = null;
            replay = null;
            context = null;
        }
    }
}
