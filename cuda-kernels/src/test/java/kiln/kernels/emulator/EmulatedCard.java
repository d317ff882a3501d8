package kiln.kernels.emulator;

import java.util.Objects;

/**
 * What an emulated card is.
 *
 * @param major of the compute capability; kernels for a higher one do not load
 * @param contextBytes of the memory, which an open context takes for itself
 * @param seed of the order of streams, where that is {@link StreamOrder#LAZY}
 * @param javaThreads that run the blocks of one launch
 */
public record EmulatedCard(
        String name,
        int major,
        int minor,
        long totalBytes,
        long contextBytes,
        StreamOrder order,
        long seed,
        EmulatorChecks checks,
        int javaThreads) {
    /** As a small card has. */
    public static final int MULTIPROCESSORS = 6;

    public EmulatedCard {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(order, "order");
        Objects.requireNonNull(checks, "checks");
        if (totalBytes <= contextBytes || contextBytes < 0) {
            throw new IllegalArgumentException("a card of " + totalBytes + " bytes of which a context takes " + contextBytes);
        }
    }

    /** A card of that size and capability 8.6, with every check, doing all at once on as many as two Java threads. */
    public static EmulatedCard ofBytes(long totalBytes) {
        int threads = Math.min(2, Runtime.getRuntime().availableProcessors());
        return new EmulatedCard("Emulated card", 8, 6, totalBytes, 0, StreamOrder.IMMEDIATE, 0, EmulatorChecks.ALL, threads);
    }

    public EmulatedCard withName(String other) {
        return new EmulatedCard(other, major, minor, totalBytes, contextBytes, order, seed, checks, javaThreads);
    }

    /** @param capability times ten: 86 */
    public EmulatedCard withCapability(int capability) {
        return new EmulatedCard(name, capability / 10, capability % 10, totalBytes, contextBytes, order, seed, checks, javaThreads);
    }

    public EmulatedCard withContextBytes(long bytes) {
        return new EmulatedCard(name, major, minor, totalBytes, bytes, order, seed, checks, javaThreads);
    }

    public EmulatedCard withLazyStreams(long orderSeed) {
        return new EmulatedCard(name, major, minor, totalBytes, contextBytes, StreamOrder.LAZY, orderSeed, checks, javaThreads);
    }

    public EmulatedCard withChecks(EmulatorChecks other) {
        return new EmulatedCard(name, major, minor, totalBytes, contextBytes, order, seed, other, javaThreads);
    }

    public EmulatedCard withJavaThreads(int threads) {
        return new EmulatedCard(name, major, minor, totalBytes, contextBytes, order, seed, checks, threads);
    }
}
