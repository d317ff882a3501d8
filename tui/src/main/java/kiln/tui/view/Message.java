package kiln.tui.view;

import java.util.function.Consumer;
import kiln.runtime.job.GenerationEvent;
import kiln.tui.input.InputEvent;

/** What reaches the screen's thread. */
sealed interface Message {
    record Input(InputEvent event) implements Message {}

    record Job(long id, GenerationEvent event) implements Message {
        /** Whether a later one of its kind makes it needless. */
        boolean isTransient() {
            return event instanceof GenerationEvent.Progress
                    || event instanceof GenerationEvent.Preview
                    || event instanceof GenerationEvent.Device
                    || event instanceof GenerationEvent.Loading;
        }
    }

    /** What background work found, to be put into the state. */
    record Result(Consumer<UiState> change) implements Message {}

    record Resized() implements Message {}

    /** The terminal is gone. */
    record HungUp() implements Message {}
}
