package kiln.runtime.plan;

/**
 * Where a parameter lies, a multiple of {@link WeightPlaces#ALIGNMENT} bytes into its network's block or into a slot.
 *
 * @param unit what it is copied with, −1 for one that stays
 */
public record Placement(int unit, long offset) {
    public Placement {
        if (unit < -1 || offset < 0 || offset % WeightPlaces.ALIGNMENT != 0) {
            throw new IllegalArgumentException("unit " + unit + ", offset " + offset);
        }
    }

    public boolean resident() {
        return unit < 0;
    }

    /** 0 or 1: units take the two slots by turns. Only for those that do not stay. */
    public int slot() {
        if (resident()) {
            throw new IllegalStateException("a resident weight lies in no slot");
        }
        return WeightPlaces.slotOf(unit);
    }
}
