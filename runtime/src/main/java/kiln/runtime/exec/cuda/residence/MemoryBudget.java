package kiln.runtime.exec.cuda.residence;

import kiln.runtime.plan.ResidencyPlan;

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
    public long room(long freeBytes) {
        long room = freeBytes - headroomBytes;
        // Who sets a limit counts what the driver takes as well: it rounds allocations up and backs the kernels' local memory.
        long margin = Math.min(ResidencyPlan.MARGIN_BYTES, limitBytes / 16);
        return Math.max(0, limitBytes == 0 ? room : Math.min(room, limitBytes - contextBytes - margin));
    }
}
