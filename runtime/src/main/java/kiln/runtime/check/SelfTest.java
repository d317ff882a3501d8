package kiln.runtime.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.check.OpCases.OpCase;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Op;

/**
 * Runs every op on an executor ({@link OpCases}) and compares it with plain Java, so that a person can tell a broken machine, driver or
 * library from a bad prompt.
 */
public final class SelfTest {
    /**
     * How one case went.
     *
     * @param op the op's name, as in {@link Op}
     * @param name what the case is about
     * @param error max|result − reference| / max|reference|, which one wrong element shows in; NaN when it could not be computed
     * @param allowed by the executor's number format
     * @param message why it could not be computed; else {@code null}
     */
    public record Case(String op, String name, double error, double allowed, boolean ok, String message) {}

    /**
     * How all of them went.
     *
     * @param device what was tested, for people
     */
    public record Outcome(String device, List<Case> cases) {
        public Outcome {
            cases = List.copyOf(cases);
        }
    }

    /** Inputs, weights and results are rounded to 8 bits each, 2⁻⁹ at most relative to themselves. */
    private static final double ALLOWED_BF16 = 2e-2;
    /** Rounded to 11 bits: an eighth of that. */
    private static final double ALLOWED_F16 = 2.5e-3;
    /** Weights are rounded to 8 bits of the largest in their row. */
    private static final double ALLOWED_INT8 = ALLOWED_BF16;

    private final Function<WeightSource, Executor> factory;
    private final double allowedF16;
    private final Consumer<Case> listener;
    private final List<Case> cases = new ArrayList<>();
    private String device = "";

    private SelfTest(Function<WeightSource, Executor> factory, double allowedF16, Consumer<Case> listener) {
        this.factory = factory;
        this.allowedF16 = allowedF16;
        this.listener = listener;
    }

    /**
     * Tests the executor that the options choose.
     *
     * @param notices told in one line what a person may want to know while the executor works, more than once too
     */
    public static Outcome run(EngineOptions options, Selection selection, Consumer<String> notices, Consumer<Case> listener) {
        double allowedF16 = options.device().weights() == WeightFormat.INT8 ? ALLOWED_INT8 : ALLOWED_F16;
        return test(weights -> Devices.alone(options, weights, notices), selection, allowedF16, listener);
    }

    /** Tests every case. */
    static List<Case> run(Function<WeightSource, Executor> factory, Consumer<Case> listener) {
        return run(factory, Selection.ALL, listener);
    }

    /**
     * @param factory makes the executor under test, anew for each case; it is closed here
     * @param selection of "op:", its name and the case's
     * @param listener told each case as soon as it is done
     */
    public static List<Case> run(Function<WeightSource, Executor> factory, Selection selection, Consumer<Case> listener) {
        return test(factory, selection, ALLOWED_F16, listener).cases();
    }

    private static Outcome test(
            Function<WeightSource, Executor> factory, Selection selection, double allowedF16, Consumer<Case> listener) {
        SelfTest test = new SelfTest(factory, allowedF16, listener);
        OpCases.all().stream()
                .filter(each -> selection.takes("op: " + each.op().getSimpleName() + ": " + each.name()))
                .forEach(test::check);
        return new Outcome(test.device, test.cases);
    }

    private void check(OpCase each) {
        String op = each.op().getSimpleName();
        Case result;
        try (Executor executor = factory.apply(each.weights());
                Executor reference = new ReferenceExecutor(each.weights())) {
            device = executor.description();
            double allowed = switch (executor.precision()) {
                case F32 -> each.allowedF32();
                case F16 -> allowedF16;
                default -> ALLOWED_BF16;
            };
            double error = error(run(executor, each), run(reference, each));
            result = new Case(op, each.name(), error, allowed, error <= allowed, null);
        } catch (KilnException e) {
            throw e;
        } catch (RuntimeException | LinkageError e) {
            result = new Case(op, each.name(), Double.NaN, 0, false, e.toString());
        }
        cases.add(result);
        listener.accept(result);
    }

    private static float[] run(Executor executor, OpCase each) {
        try (CompiledGraph compiled = executor.compile(each.graph())) {
            return compiled.run(each.inputs(), Progress.NONE).get("out");
        }
    }

    private static double error(float[] result, float[] reference) {
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < reference.length; i++) {
            difference = Math.max(difference, Math.abs((double) result[i] - reference[i]));
            largest = Math.max(largest, Math.abs(reference[i]));
        }
        return difference / largest;
    }
}
