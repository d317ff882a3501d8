package kiln.runtime.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Jobs, newest first, brought up to date by their events. Old ones lose their pictures first and are forgotten later, but never before they are
 * over. Safe from any thread.
 */
public final class JobHistory {
    private static final int MAX_JOBS = 500;
    /** Jobs whose pictures stay in memory. */
    private static final int MAX_WITH_PICTURES = 64;

    private final List<JobRecord> jobs = new ArrayList<>();

    public synchronized void add(JobRecord job) {
        jobs.add(0, job);
        for (int i = MAX_WITH_PICTURES; i < jobs.size(); i++) {
            if (jobs.get(i).state().isOver() && !jobs.get(i).pictures().isEmpty()) {
                jobs.set(i, jobs.get(i).withoutPictures());
            }
        }
        if (jobs.size() > MAX_JOBS && jobs.get(MAX_JOBS).state().isOver()) {
            jobs.remove(MAX_JOBS);
        }
    }

    /** The job as it is after the event; nothing when it has been forgotten. */
    public synchronized Optional<JobRecord> accept(long id, GenerationEvent event) {
        for (int i = 0; i < jobs.size(); i++) {
            if (jobs.get(i).id() == id) {
                JobRecord after = jobs.get(i).after(event);
                jobs.set(i, after);
                return Optional.of(after);
            }
        }
        return Optional.empty();
    }

    public synchronized List<JobRecord> jobs() {
        return List.copyOf(jobs);
    }
}
