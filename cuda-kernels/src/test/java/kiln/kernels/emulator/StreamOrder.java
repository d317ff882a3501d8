package kiln.kernels.emulator;

/** When the emulated card does what is queued on its streams. Both are orders that a real card may take. */
public enum StreamOrder {
    /** At once, while it is queued. */
    IMMEDIATE,
    /**
     * Only while somebody waits, and then in an order among the streams that is drawn from a seed and keeps to nothing but the events: some
     * streams run far ahead, others not before they must. A wait that is missing shows as wrong data or as a read of what nothing wrote.
     */
    LAZY
}
