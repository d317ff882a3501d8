package kiln.runtime.exec.cuda;

/**
 * How much of a card Kiln may use.
 *
 * @param limitBytes for all that Kiln takes, context included; 0 for as much as there is
 * @param headroomBytes to be left free for others
 * @param contextBytes that the context took when it was opened
 */
public record MemoryBudget(long limitBytes, long headroomBytes, long contextBytes) {
    public MemoryBudget {
        if (limitBytes < 0 || headroomBytes < 0 || contextBytes < 0) {
            throw new IllegalArgumentException("a limit of " + limitBytes + ", a headroom of " + headroomBytes + ", " + contextBytes + " in use");
        }
    }

    /** Bytes that may be allocated when so many are free. */
    long room(long freeBytes) {
        long room = freeBytes - headroomBytes;
        return Math.max(0, limitBytes == 0 ? room : Math.min(room, limitBytes - contextBytes));
    }
}
