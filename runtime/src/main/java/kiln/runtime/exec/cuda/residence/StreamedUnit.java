package kiln.runtime.exec.cuda.residence;

import java.util.List;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/**
 * Neighbouring weights that go to the card together, in one of two slots that take turns.
 *
 * @param slot 0 or 1
 * @param address of the slot
 * @param offsets of each weight in the slot
 * @param firstStep of the program that reads one of them
 * @param lastStep that reads one; then the slot is free again
 */
public record StreamedUnit(int slot, long address, List<DeviceWeight> weights, List<Long> offsets, int firstStep, int lastStep) {
    public StreamedUnit {
        weights = List.copyOf(weights);
        offsets = List.copyOf(offsets);
    }
}
