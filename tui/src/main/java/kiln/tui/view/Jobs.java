package kiln.tui.view;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.JobHistory;
import kiln.runtime.job.JobRecord;

/** All jobs that this screen asked for, newest first, and what only the screen knows of them. Belongs to the screen's thread. */
final class Jobs {
    private static final int MAX_PREVIEWS = 64;

    private final JobHistory history = new JobHistory();
    private final Map<Long, Runnable> cancels = new HashMap<>();
    /** By the job's number, rendered. That of a job which ends without a picture stays, as the most that there is of it. */
    private final Map<Long, Picture> previews = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Picture> eldest) {
            return size() > MAX_PREVIEWS;
        }
    };
    private long lastId;

    List<JobRecord> records() {
        return history.jobs();
    }

    JobRecord add(GenerationRequest request) {
        JobRecord job = JobRecord.queued(++lastId, request);
        history.add(job);
        return job;
    }

    void cancelWith(long id, Runnable cancel) {
        cancels.put(id, cancel);
    }

    /** The job that an event belongs to, brought up to date; nothing when it is gone. */
    Optional<JobRecord> accept(long id, GenerationEvent event) {
        Optional<JobRecord> job = history.accept(id, event);
        if (event instanceof GenerationEvent.PictureDone) {
            previews.remove(id);
        }
        if (job.isEmpty() || job.get().state().isOver()) {
            cancels.remove(id);
        }
        return job;
    }

    /** What the job's picture of that number seems to become; too late once it is done. */
    void preview(long id, int picture, Picture image) {
        boolean forms = records().stream().anyMatch(job -> job.id() == id && !job.state().isOver() && picture >= job.pictures().size());
        if (forms) {
            previews.put(id, image);
        }
    }

    /** The newest there is of a job: the preview while one forms, else the last picture, else {@code null}. */
    Picture picture(JobRecord job) {
        Picture last = job.pictures().isEmpty() ? null : job.pictures().get(job.pictures().size() - 1).image();
        return previews.getOrDefault(job.id(), last);
    }

    /** The oldest job that is not over: the one that runs or runs next; {@code null} when there is none. */
    JobRecord running() {
        return records().stream().filter(job -> !job.state().isOver()).reduce((newer, older) -> older).orElse(null);
    }

    int unfinished() {
        return (int) records().stream().filter(job -> !job.state().isOver()).count();
    }

    void cancelRunning() {
        JobRecord job = running();
        if (job != null && cancels.containsKey(job.id())) {
            cancels.get(job.id()).run();
        }
    }
}
