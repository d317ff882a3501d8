package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import org.junit.jupiter.api.Test;

class ProgressTrackerTest {
    private final List<GenerationEvent> events = new ArrayList<>();

    @Test
    void theFractionIsOfTheWorkPlannedAndWhatCameBeforeDoesNotCount() {
        ProgressTracker tracker = new ProgressTracker(4, 1, () -> false, events::add);
        tracker.networkDone(5e9);
        tracker.plan(100);
        tracker.phase(Phase.DENOISING, 0);
        tracker.networkDone(25);
        tracker.at(5);
        GenerationEvent.Progress progress = (GenerationEvent.Progress) events.get(0);
        assertThat(progress.fraction()).isEqualTo(0.3);
        assertThat(progress.phase()).isEqualTo(Phase.DENOISING);
        assertThat(progress.step()).isEqualTo(1);
        assertThat(progress.secondsLeft()).isNotNegative();
    }

    @Test
    void theStepIsTheOneBeingDone() {
        ProgressTracker tracker = new ProgressTracker(4, 1, () -> false, events::add);
        tracker.plan(100);
        tracker.phase(Phase.DENOISING, 0);
        tracker.stepDone(2, 3);
        tracker.at(0);
        GenerationEvent.Progress progress = (GenerationEvent.Progress) events.get(0);
        assertThat(progress.step()).isEqualTo(3);
        assertThat(progress.steps()).isEqualTo(3);
    }

    @Test
    void aStepThatIsDoneIsToldAtOnceAndItsRateStaysUntilTheNext() {
        ProgressTracker tracker = new ProgressTracker(2, 1, () -> false, events::add);
        tracker.plan(100);
        tracker.phase(Phase.DENOISING, 0);
        tracker.stepDone(1, 2);
        tracker.stepDone(2, 2);
        assertThat(events).hasSize(2);
        double rate = ((GenerationEvent.Progress) events.get(1)).stepsPerSecond();
        assertThat(rate).isPositive();
        tracker.phase(Phase.DECODING, 0);
        tracker.stepDone(2, 2);
        tracker.phase(Phase.DENOISING, 1);
        tracker.stepDone(1, 2);
        assertThat(events).as("every step, however fast").hasSize(4);
    }

    @Test
    void aWishToCancelIsHeardBeforeTheNextNode() {
        ProgressTracker tracker = new ProgressTracker(4, 1, () -> true, events::add);
        assertThatThrownBy(() -> tracker.at(0))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CANCELLED));
        assertThat(events).isEmpty();
    }
}
