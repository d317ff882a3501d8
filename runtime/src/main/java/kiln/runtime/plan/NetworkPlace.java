package kiln.runtime.plan;

/**
 * Where a network lies on the device. Offsets count from the start of one region of {@link ResidencyPlan#regionBytes()} that all networks
 * of a plan share, and are multiples of {@link WeightPlaces#ALIGNMENT}: the block of the weights that stay, the two slots of those that do
 * not, the arena.
 *
 * @param weights offsets within the block and the slots
 * @param reducedArena whether the arena is the demand's reduced one
 */
public record NetworkPlace(
        NetworkDemand demand, WeightPlaces weights, boolean reducedArena, long blockOffset, long slotsOffset, long arenaOffset) {
    public String name() {
        return demand.name();
    }

    /** @param slot 0 or 1 */
    public long slotOffset(int slot) {
        if (slot < 0 || slot >= WeightPlaces.SLOTS) {
            throw new IndexOutOfBoundsException("slot " + slot);
        }
        return slotsOffset + slot * weights.slotBytes();
    }

    /** Where a weight lies in the region: always, or after its unit's copy. */
    public long weightOffset(int weight) {
        Placement placement = weights.placements().get(weight);
        return placement.offset() + (placement.resident() ? blockOffset : slotOffset(placement.slot()));
    }

    public long arenaBytes() {
        return WeightPlaces.aligned(reducedArena ? demand.reducedArenaBytes() : demand.arenaBytes());
    }

    /** One run's time, by what is computed and what is copied meanwhile. */
    public double seconds(CardRates rates) {
        return StreamTiming.seconds(demand, weights, rates);
    }
}
