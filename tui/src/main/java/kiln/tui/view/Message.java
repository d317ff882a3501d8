package kiln.tui.view;

import java.util.List;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.input.InputEvent;

/** What reaches the screen's thread: plain data, which {@link Update} puts into the state. */
sealed interface Message {
    /** Whether an earlier one that still waits is needless now. */
    default boolean replaces(Message earlier) {
        return false;
    }

    record Input(InputEvent event) implements Message {}

    /** What a job told, but for previews, which come as {@link Result.Preview}. */
    record Job(long id, GenerationEvent event) implements Message {
        @Override
        public boolean replaces(Message earlier) {
            boolean passes = event instanceof GenerationEvent.Progress
                    || event instanceof GenerationEvent.Device
                    || event instanceof GenerationEvent.Loading;
            return passes && earlier instanceof Job other && other.id == id && other.event.getClass() == event.getClass();
        }
    }

    record Resized() implements Message {}

    /** The terminal is gone. */
    record HungUp() implements Message {}

    /** What background work found. */
    sealed interface Result extends Message {
        /** All models, the one to begin with first. */
        record Models(List<UiModel> models) implements Result {}

        /**
         * What a model presets.
         *
         * @param request values given on the command line, which go before; {@code null} when there are none or they have been taken
         */
        record Facts(UiModel model, ModelFacts facts, GenerationRequest request) implements Result {}

        /** Models or presets cannot be read: the screen goes on without. */
        record Unknown() implements Result {}

        /** Of earlier runs, the oldest first. */
        record Prompts(List<String> earlier) implements Result {}

        /** @param text of the last job, {@code null} when there is none */
        record Parameters(String text) implements Result {}

        /** @param negative whether the negative prompt was counted */
        record Tokens(boolean negative, String count) implements Result {}

        /** Of the top line. */
        record Measured(String device, String memory) implements Result {}

        /**
         * What a job's picture seems to become.
         *
         * @param picture which of the job's, from 0
         */
        record Preview(long job, int picture, Picture image) implements Result {
            @Override
            public boolean replaces(Message earlier) {
                return earlier instanceof Preview other && other.job == job;
            }
        }

        record Failed(String message) implements Result {}
    }
}
