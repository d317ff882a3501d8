package kiln.runtime.job;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.image.LatentImage;
import kiln.runtime.image.Picture;

/**
 * What a job tells while it runs, in order, on the engine's thread: listeners must not block. Plain data, which can be written to a file or
 * a socket.
 *
 * <p>A job ends with exactly one of {@link Finished}, {@link Failed} and {@link Cancelled}.
 */
public sealed interface GenerationEvent {
    /** The model is being read or prepared: {@code fraction} of {@code what} is done. */
    record Loading(String what, double fraction) implements GenerationEvent {}

    /** Something that a person may want to know while the job goes on: less device memory than thought, a part computed anew. */
    record Notice(String text) implements GenerationEvent {}

    /** What of a card is in use: when work has begun on one, after each step and after each picture. */
    record Device(DeviceUse use) implements GenerationEvent {}

    /** Work has begun; {@code request} has its seed, model and defaults filled in. */
    record Started(GenerationRequest request) implements GenerationEvent {}

    /**
     * Where the job is.
     *
     * @param fraction of the whole job, FLOPs done of FLOPs planned: it moves inside a step and in the decode
     * @param phase what is being done
     * @param step the step being done of this batch, from 1; {@code steps} when decoding
     * @param stepsPerSecond 0 until the first step is done
     * @param secondsLeft of the whole job; negative while unknown
     * @param picture the first picture of the batch being done, from 0, of {@code pictures} in all
     */
    record Progress(
            double fraction, Phase phase, int step, int steps, double stepsPerSecond, double secondsLeft, int picture, int pictures)
            implements GenerationEvent {}

    /** Parts of a picture's making that take time. */
    enum Phase {
        ENCODING,
        DENOISING,
        DECODING
    }

    /**
     * A step is done.
     *
     * @param picture the batch's first
     * @param latent what it seems to become
     */
    record Preview(int step, int steps, int picture, LatentImage latent) implements GenerationEvent {}

    /** A picture is ready; {@code file} is where it lies, {@code null} when saving was switched off. */
    record PictureDone(GeneratedPicture picture) implements GenerationEvent {}

    /** The job's pictures were also saved as one. */
    record GridDone(Path file) implements GenerationEvent {}

    record Finished(double seconds) implements GenerationEvent {}

    record Cancelled() implements GenerationEvent {}

    /**
     * @param message one line for a person
     * @param trace where it happened, for a log
     */
    record Failed(Category category, String message, String trace) implements GenerationEvent {
        public static Failed of(KilnException error) {
            StringWriter trace = new StringWriter();
            error.printStackTrace(new PrintWriter(trace));
            return new Failed(error.category(), error.getMessage(), trace.toString());
        }

        /** For a caller that fails with its job. */
        public KilnException toException() {
            return new KilnException(category, message);
        }
    }

    /**
     * A picture with the text that reproduces it.
     *
     * @param index which of the job's pictures, from 0
     * @param infoText A1111's "parameters" text
     */
    record GeneratedPicture(int index, long seed, Picture image, String infoText, Path file) {}
}
