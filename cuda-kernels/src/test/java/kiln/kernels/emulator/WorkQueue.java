package kiln.kernels.emulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The work that is queued on a context's streams, and the order in which it is done.
 *
 * <p>Where order is lazy, nothing is done before somebody waits. Then the streams are put in an order of preference that is drawn again every few steps; the
 * first that is not held up by an event does its next piece. So a stream may run far ahead of the one that is waited for, or not run at all.
 */
final class WorkQueue {
    /** How many pieces of work are done between two draws, on average. */
    private static final int DRAW_EVERY = 12;

    /** One record of an event on a stream. */
    static final class Mark {
        private boolean reached;
        private long nanoseconds;

        boolean reached() {
            return reached;
        }

        long nanoseconds() {
            return nanoseconds;
        }
    }

    /**
     * @param uses what must stay until it is done: first addresses of allocations, pinned memory, modules
     * @param waitsFor what must be reached before; null if nothing
     */
    private record Work(String what, Set<Object> uses, Mark waitsFor, Runnable action) {}

    /** One stream's work, in order. */
    static final class Lane {
        final int number;
        boolean destroyed;
        /** What takes this stream's work instead of the queue; null mostly. */
        CapturedWork capture;
        private final Deque<Work> works = new ArrayDeque<>();

        private Lane(int number) {
            this.number = number;
        }

        private boolean runnable() {
            Work next = works.peek();
            return next != null && (next.waitsFor == null || next.waitsFor.reached);
        }
    }

    private final boolean lazy;
    private final Random random;
    private final List<Lane> lanes = new ArrayList<>();
    private int created;

    WorkQueue(StreamOrder order, long seed) {
        lazy = order == StreamOrder.LAZY;
        random = new Random(seed);
    }

    Lane createLane() {
        Lane lane = new Lane(++created);
        lanes.add(lane);
        return lane;
    }

    boolean owns(Lane lane) {
        return lanes.contains(lane) && !lane.destroyed;
    }

    /** As on a card, what is queued is still done. */
    void destroy(Lane lane) {
        lane.destroyed = true;
        lanes.removeIf(each -> each.destroyed && each.works.isEmpty());
    }

    void add(Lane lane, String what, Set<Object> uses, Runnable action) {
        if (lazy) {
            lane.works.add(new Work(what + " on stream " + lane.number, uses, null, action));
        } else {
            action.run();
        }
    }

    Mark mark(Lane lane) {
        Mark mark = new Mark();
        add(lane, "the record of an event", Set.of(), () -> {
            mark.reached = true;
            mark.nanoseconds = System.nanoTime();
        });
        return mark;
    }

    void await(Lane lane, Mark mark) {
        if (lazy) {
            lane.works.add(new Work("a wait on stream " + lane.number, Set.of(), mark, () -> {}));
        }
    }

    void finish(Lane lane) {
        while (!lane.works.isEmpty()) {
            step();
        }
    }

    void reach(Mark mark) {
        while (!mark.reached) {
            step();
        }
    }

    /** What a card does by itself while the host goes on. */
    void advance() {
        if (pending() > 0) {
            step();
        }
    }

    private void step() {
        if (random.nextInt(DRAW_EVERY) == 0) {
            Collections.shuffle(lanes, random);
        }
        for (Lane lane : lanes) {
            if (lane.runnable()) {
                Work work = lane.works.remove();
                if (lane.destroyed && lane.works.isEmpty()) {
                    lanes.remove(lane);
                }
                work.action.run();
                return;
            }
        }
        throw new IllegalStateException("no stream can go on: " + pending() + " pieces of work wait for each other");
    }

    /** The captures that go on. */
    Set<CapturedWork> captures() {
        return lanes.stream().map(lane -> lane.capture).filter(Objects::nonNull).collect(Collectors.toSet());
    }

    /** For all streams that took part. */
    void endCapture(CapturedWork capture) {
        capture.end();
        for (Lane lane : lanes) {
            if (lane.capture == capture) {
                lane.capture = null;
            }
        }
    }

    int pending() {
        return lanes.stream().mapToInt(lane -> lane.works.size()).sum();
    }

    /** The first queued work that needs something; null if none does. */
    String userOf(Object resource) {
        for (Lane lane : lanes) {
            for (Work work : lane.works) {
                if (work.uses.contains(resource)) {
                    return work.what;
                }
            }
        }
        return null;
    }

    void forget() {
        lanes.clear();
    }
}
