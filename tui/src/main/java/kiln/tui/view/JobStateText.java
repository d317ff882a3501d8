package kiln.tui.view;

import kiln.runtime.job.JobRecord;

/** What the screen calls the states of a job. */
final class JobStateText {
    private JobStateText() {}

    /** One cell. */
    static String sign(JobRecord.State state) {
        return switch (state) {
            case QUEUED -> "○";
            case RUNNING -> "▶";
            case DONE -> "✓";
            case CANCELLED -> "✗";
            case FAILED -> "!";
        };
    }

    static String word(JobRecord.State state) {
        return switch (state) {
            case QUEUED -> "waiting";
            case RUNNING -> "running";
            case DONE -> "done";
            case CANCELLED -> "cancelled";
            case FAILED -> "failed";
        };
    }
}
