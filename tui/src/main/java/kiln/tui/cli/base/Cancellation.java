package kiln.tui.cli.base;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * How a signal reaches a running command. Java ends the process by itself on Ctrl+C (exit code 130) and on SIGTERM (143); a command that
 * has something to clean up says how it is stopped, and then the end waits for it. Any thread.
 */
public final class Cancellation {
    private static final long SECONDS_TO_STOP = 20;

    private final CountDownLatch finished = new CountDownLatch(1);
    private Runnable action;
    private boolean requested;

    /** Has {@code stop} called when the process is asked to end; at once when that was before. It must return quickly. */
    public synchronized void calls(Runnable stop) {
        action = stop;
        if (requested) {
            stop.run();
        }
    }

    /** Asks the command to stop. @return whether it can be asked */
    public synchronized boolean request() {
        requested = true;
        if (action != null) {
            action.run();
        }
        return action != null;
    }

    /** Waits, at the process's end, until the command that was asked to stop has written its last word. */
    public void holdUpTheEnd() {
        Runtime.getRuntime().addShutdownHook(new Thread(
                () -> {
                    try {
                        if (finished.getCount() > 0 && request()) {
                            finished.await(SECONDS_TO_STOP, TimeUnit.SECONDS);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "kiln-cancel"));
    }

    /** The command has ended. */
    public void finished() {
        finished.countDown();
    }
}
