package kiln.runtime.pipeline;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.job.GenerationEvent;

/**
 * Turns the networks' progress into the job's: FLOPs done of FLOPs planned, so that a bar moves inside a step and in the decode too. It is
 * also where a wish to cancel is heard, between nodes.
 */
final class ProgressTracker implements CompiledGraph.Progress {
    private static final long LEAST_NANOS_BETWEEN_EVENTS = 40_000_000;

    private final int pictures;
    private final BooleanSupplier cancelled;
    private final Consumer<GenerationEvent> listener;
    private long begin = System.nanoTime();
    private GenerationEvent.Phase phase = GenerationEvent.Phase.ENCODING;
    private double doneBefore;
    private double planned = Double.MAX_VALUE;
    private int steps;
    private int step;
    private int picture;
    private long firstStepBegin;
    private double stepsPerSecond;
    private long lastEvent;

    ProgressTracker(int steps, int pictures, BooleanSupplier cancelled, Consumer<GenerationEvent> listener) {
        this.steps = steps;
        this.pictures = pictures;
        this.cancelled = cancelled;
        this.listener = listener;
    }

    /** The work that is still to be done, once it is known. What was before does not count: reading a model says nothing about the rest. */
    void plan(double flops) {
        planned = flops;
        doneBefore = 0;
        begin = System.nanoTime();
    }

    /** What is done from now on. */
    void phase(GenerationEvent.Phase next, int firstPicture) {
        if (next == GenerationEvent.Phase.DENOISING) {
            step = 1;
            stepsPerSecond = 0;
            firstStepBegin = System.nanoTime();
        }
        phase = next;
        picture = firstPicture;
    }

    /** A sampler's step is done, of as many as it really makes. Told at once, so that even a fast job's rate is known at its end. */
    void stepDone(int done, int of) {
        steps = of;
        step = Math.min(steps, done + 1);
        long now = System.nanoTime();
        stepsPerSecond = done / ((now - firstStepBegin) / 1e9);
        tell(now, 0);
    }

    /** A network has run to its end. */
    void networkDone(double flops) {
        doneBefore += flops;
    }

    @Override
    public void at(double flopsDone) {
        if (cancelled.getAsBoolean()) {
            throw KilnException.cancelled();
        }
        long now = System.nanoTime();
        if (now - lastEvent >= LEAST_NANOS_BETWEEN_EVENTS) {
            tell(now, flopsDone);
        }
    }

    private void tell(long now, double flopsDone) {
        lastEvent = now;
        double fraction = Math.min(1, (doneBefore + flopsDone) / planned);
        double elapsed = (now - begin) / 1e9;
        // The first hundredth says nothing yet about the rest.
        double secondsLeft = fraction < 0.01 ? -1 : elapsed / fraction * (1 - fraction);
        listener.accept(new GenerationEvent.Progress(fraction, phase, step, steps, stepsPerSecond, secondsLeft, picture, pictures));
    }
}
