package kiln.tui.view;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;

/** All jobs of this run, newest first. */
final class Jobs {
    private static final int MAX_ENTRIES = 500;
    /** Entries whose pictures stay in memory. */
    private static final int MAX_WITH_PICTURES = 64;

    private final List<JobEntry> entries = new ArrayList<>();
    private final Map<Long, Runnable> cancels = new HashMap<>();
    private long lastId;

    List<JobEntry> entries() {
        return entries;
    }

    JobEntry add(GenerationRequest request) {
        JobEntry entry = new JobEntry(++lastId, request);
        entries.add(0, entry);
        for (int i = MAX_WITH_PICTURES; i < entries.size(); i++) {
            if (entries.get(i).state().isOver()) {
                entries.get(i).forgetPictures();
            }
        }
        if (entries.size() > MAX_ENTRIES && entries.get(MAX_ENTRIES).state().isOver()) {
            entries.remove(MAX_ENTRIES);
        }
        return entry;
    }

    void cancelWith(long id, Runnable cancel) {
        cancels.put(id, cancel);
    }

    /** The entry that an event belongs to, brought up to date; {@code null} when it is gone. */
    JobEntry accept(long id, GenerationEvent event) {
        JobEntry entry = entries.stream().filter(e -> e.id() == id).findFirst().orElse(null);
        if (entry != null) {
            entry.accept(event);
            if (entry.state().isOver()) {
                cancels.remove(id);
            }
        }
        return entry;
    }

    /** A job's picture as it seems to become, when it is not there yet. */
    void preview(long id, int picture, Picture image) {
        entries.stream().filter(e -> e.id() == id).findFirst().ifPresent(entry -> entry.preview(picture, image));
    }

    /** The oldest job that is not over: the one that runs or runs next. */
    JobEntry running() {
        for (int i = entries.size() - 1; i >= 0; i--) {
            if (!entries.get(i).state().isOver()) {
                return entries.get(i);
            }
        }
        return null;
    }

    int unfinished() {
        return (int) entries.stream().filter(e -> !e.state().isOver()).count();
    }

    void cancelRunning() {
        JobEntry entry = running();
        if (entry != null) {
            Runnable cancel = cancels.get(entry.id());
            if (cancel != null) {
                cancel.run();
            }
        }
    }
}
