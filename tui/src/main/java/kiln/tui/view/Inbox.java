package kiln.tui.view;

import java.util.ArrayList;
import java.util.List;

/**
 * Messages on their way to the screen's thread. Of progress and previews only the latest of each job waits, so that the engine is never
 * held up and the screen never lags behind; everything else arrives, in order. For any number of threads.
 */
final class Inbox {
    private final List<Message> waiting = new ArrayList<>();

    synchronized void post(Message message) {
        waiting.removeIf(message::replaces);
        waiting.add(message);
        notifyAll();
    }

    /** Waits until there is a message, at most so long, and takes all there are. */
    synchronized List<Message> take(long milliseconds) throws InterruptedException {
        if (waiting.isEmpty() && milliseconds > 0) {
            wait(milliseconds);
        }
        List<Message> taken = new ArrayList<>(waiting);
        waiting.clear();
        return taken;
    }
}
