package kiln.runtime.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.image.LatentImage;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;

/**
 * What is known of a job: its request and what its events have told so far. Plain data; {@link #after} brings it up to date, for the engine
 * and for everyone who listens to it.
 *
 * @param request with the seed and the model filled in once the job runs
 * @param progress {@code null} before the first and after the last
 * @param loading {@code null} while nothing is being read or prepared
 * @param preview {@code null} unless a picture is forming
 * @param notices what it told on its way, each once
 * @param use the card at its last step or picture; {@code null} when it ran on none
 * @param stepsPerSecond the last that was told; 0 before the first step is done
 * @param seconds that it took; 0 until it is done
 * @param error one line; empty unless it failed
 */
public record JobRecord(
        long id,
        GenerationRequest request,
        State state,
        GenerationEvent.Progress progress,
        GenerationEvent.Loading loading,
        LatentImage preview,
        List<GeneratedPicture> pictures,
        List<String> notices,
        DeviceUse use,
        double stepsPerSecond,
        double seconds,
        String error) {
    /** Where a job is on its way. */
    public enum State {
        QUEUED,
        RUNNING,
        DONE,
        CANCELLED,
        FAILED;

        public boolean isOver() {
            return ordinal() >= DONE.ordinal();
        }
    }

    public JobRecord {
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(state, "state");
        pictures = List.copyOf(pictures);
        notices = List.copyOf(notices);
        Objects.requireNonNull(error, "error");
    }

    /** A job that waits for its turn. */
    public static JobRecord queued(long id, GenerationRequest request) {
        return new JobRecord(id, request, State.QUEUED, null, null, null, List.of(), List.of(), null, 0, 0, "");
    }

    /** What is known when this event has been told as well. */
    public JobRecord after(GenerationEvent event) {
        Change change = new Change(this);
        if (event instanceof GenerationEvent.Loading e) {
            change.state = State.RUNNING;
            change.loading = e;
        } else if (event instanceof GenerationEvent.Started e) {
            change.state = State.RUNNING;
            change.request = e.request();
            change.loading = null;
        } else if (event instanceof GenerationEvent.Progress e) {
            change.progress = e;
            change.loading = null;
            change.stepsPerSecond = e.stepsPerSecond() > 0 ? e.stepsPerSecond() : stepsPerSecond;
        } else if (event instanceof GenerationEvent.Device e) {
            change.use = e.use();
        } else if (event instanceof GenerationEvent.Notice e) {
            change.notices = notices.contains(e.text()) ? notices : with(notices, e.text());
        } else if (event instanceof GenerationEvent.Preview e) {
            change.preview = e.latent();
        } else if (event instanceof GenerationEvent.PictureDone e) {
            change.pictures = with(pictures, e.picture());
            change.preview = null;
        } else if (event instanceof GenerationEvent.Finished e) {
            change.state = State.DONE;
            change.seconds = e.seconds();
        } else if (event instanceof GenerationEvent.Cancelled) {
            change.state = State.CANCELLED;
        } else if (event instanceof GenerationEvent.Failed e) {
            change.state = State.FAILED;
            change.error = e.message();
        }
        if (change.state.isOver()) {
            change.preview = null;
            change.progress = null;
            change.loading = null;
        }
        return change.made();
    }

    /** Without the pictures, for the sake of memory; their files stay. */
    public JobRecord withoutPictures() {
        Change change = new Change(this);
        change.pictures = List.of();
        return change.made();
    }

    private static <T> List<T> with(List<T> list, T more) {
        List<T> longer = new ArrayList<>(list);
        longer.add(more);
        return longer;
    }

    /** Most parts stay as they are. */
    private static final class Change {
        private final JobRecord before;
        private GenerationRequest request;
        private State state;
        private GenerationEvent.Progress progress;
        private GenerationEvent.Loading loading;
        private LatentImage preview;
        private List<GeneratedPicture> pictures;
        private List<String> notices;
        private DeviceUse use;
        private double stepsPerSecond;
        private double seconds;
        private String error;

        Change(JobRecord before) {
            this.before = before;
            request = before.request;
            state = before.state;
            progress = before.progress;
            loading = before.loading;
            preview = before.preview;
            pictures = before.pictures;
            notices = before.notices;
            use = before.use;
            stepsPerSecond = before.stepsPerSecond;
            seconds = before.seconds;
            error = before.error;
        }

        JobRecord made() {
            return new JobRecord(
                    before.id, request, state, progress, loading, preview, pictures, notices, use, stepsPerSecond, seconds, error);
        }
    }
}
