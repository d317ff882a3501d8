package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaDriver;
import kiln.kernels.CudaException;

/**
 * A driver with no card: memory is Java's, and kernels run in the PTX emulator. It refuses what a real driver refuses, with the same errors, counts
 * all that is asked of it, and can be told to fail. Any thread.
 */
public final class EmulatedDriver implements CudaDriver {
    /** A card and its memory, which all its contexts share. */
    private record Slot(EmulatedCard card, DeviceMemory memory) {}

    private final List<Slot> slots = new ArrayList<>();
    private final DriverRecord record = new DriverRecord();
    private volatile boolean hasLibraries;

    public EmulatedDriver(EmulatedCard... cards) {
        for (EmulatedCard card : cards) {
            slots.add(new Slot(card, new DeviceMemory(card.totalBytes() - card.contextBytes())));
        }
    }

    /** From now on cuBLAS and cuDNN are there. */
    public EmulatedDriver withLibraries() {
        hasLibraries = true;
        return this;
    }

    /** What was asked, over all cards and contexts; and where failures are ordered. */
    public DriverRecord record() {
        return record;
    }

    @Override
    public List<CudaDevices.Device> devices() {
        List<CudaDevices.Device> devices = new ArrayList<>();
        for (int i = 0; i < slots.size(); i++) {
            devices.add(describe(i));
        }
        return devices;
    }

    private CudaDevices.Device describe(int index) {
        Slot slot = slots.get(index);
        EmulatedCard card = slot.card;
        String uuid = String.format("GPU-e0000000-0000-0000-0000-%012d", index);
        return new CudaDevices.Device(
                index, card.name(), uuid, card.totalBytes(), slot.memory.freeBytes(), card.major(), card.minor());
    }

    @Override
    public CudaContext open(int device) {
        if (device < 0 || device >= slots.size()) {
            throw new CudaException("CUDA_ERROR_INVALID_DEVICE", "looking for device " + device);
        }
        record.called(DriverCall.OPEN, "opening device " + device);
        Slot slot = slots.get(device);
        return new EmulatedContext(slot.card, slot.memory, describe(device), record, hasLibraries);
    }
}
