package kiln.tui.view;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;

/** A job of this run, as far as its events have told. */
final class JobEntry {
    enum State {
        QUEUED("○", "waiting"),
        RUNNING("▶", "running"),
        DONE("✓", "done"),
        CANCELLED("✗", "cancelled"),
        FAILED("!", "failed");

        private final String sign;
        private final String word;

        State(String sign, String word) {
            this.sign = sign;
            this.word = word;
        }

        String sign() {
            return sign;
        }

        String word() {
            return word;
        }

        boolean isOver() {
            return ordinal() >= DONE.ordinal();
        }
    }

    private final long id;
    private GenerationRequest request;
    private State state = State.QUEUED;
    private GenerationEvent.Progress progress;
    private GenerationEvent.Loading loading;
    private Picture preview;
    private final List<GeneratedPicture> pictures = new ArrayList<>();
    private final Set<String> notices = new LinkedHashSet<>();
    private DeviceUse use;
    private double stepsPerSecond;
    private double seconds;
    private String error = "";

    JobEntry(long id, GenerationRequest request) {
        this.id = id;
        this.request = request;
    }

    long id() {
        return id;
    }

    /** With the seed filled in once the job runs. */
    GenerationRequest request() {
        return request;
    }

    State state() {
        return state;
    }

    GenerationEvent.Progress progress() {
        return progress;
    }

    GenerationEvent.Loading loading() {
        return loading;
    }

    List<GeneratedPicture> pictures() {
        return pictures;
    }

    /** What it told on its way, each once. */
    Set<String> notices() {
        return notices;
    }

    /** The card at its last step or picture; {@code null} when it ran on none. */
    DeviceUse use() {
        return use;
    }

    /** The last that was told; 0 before the first step is done. */
    double stepsPerSecond() {
        return stepsPerSecond;
    }

    double seconds() {
        return seconds;
    }

    String error() {
        return error;
    }

    /** The newest there is: the preview while one forms, else the last picture, else {@code null}. */
    Picture picture() {
        if (preview != null) {
            return preview;
        }
        return pictures.isEmpty() ? null : pictures.get(pictures.size() - 1).image();
    }

    /** What the job's picture of that number seems to become; too late once it is done. */
    void preview(int picture, Picture image) {
        if (!state.isOver() && picture >= pictures.size()) {
            preview = image;
        }
    }

    void accept(GenerationEvent event) {
        if (event instanceof GenerationEvent.Loading e) {
            state = State.RUNNING;
            loading = e;
        } else if (event instanceof GenerationEvent.Started e) {
            state = State.RUNNING;
            request = e.request();
            loading = null;
        } else if (event instanceof GenerationEvent.Progress e) {
            progress = e;
            loading = null;
            if (e.stepsPerSecond() > 0) {
                stepsPerSecond = e.stepsPerSecond();
            }
        } else if (event instanceof GenerationEvent.Device e) {
            use = e.use();
        } else if (event instanceof GenerationEvent.Notice e) {
            notices.add(e.text());
        } else if (event instanceof GenerationEvent.PictureDone e) {
            pictures.add(e.picture());
            preview = null;
        } else if (event instanceof GenerationEvent.Finished e) {
            state = State.DONE;
            seconds = e.seconds();
        } else if (event instanceof GenerationEvent.Cancelled) {
            state = State.CANCELLED;
        } else if (event instanceof GenerationEvent.Failed e) {
            state = State.FAILED;
            error = e.message();
        }
        if (state.isOver()) {
            progress = null;
            loading = null;
        }
    }

    /** Lets go of the pictures' memory; the files stay. */
    void forgetPictures() {
        pictures.clear();
        preview = null;
    }
}
