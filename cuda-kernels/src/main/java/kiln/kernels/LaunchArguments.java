package kiln.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;

/**
 * A launch's arguments where the driver reads them. They lie outside the Java heap: while JCuda holds arrays of the heap, the garbage
 * collector has to stand still.
 */
final class LaunchArguments {
    private final List<ByteBuffer> slots = new ArrayList<>();
    private Pointer[] pointers = new Pointer[0];

    /** @param value a {@link Long}, {@link Integer} or {@link Float} */
    void set(int index, Object value) {
        while (slots.size() <= index) {
            ByteBuffer slot = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
            slots.add(slot);
            pointers = Arrays.copyOf(pointers, slots.size());
            pointers[slots.size() - 1] = Pointer.to(slot);
        }
        if (value instanceof Long number) {
            slots.get(index).putLong(0, number);
        } else if (value instanceof Integer number) {
            slots.get(index).putInt(0, number);
        } else {
            slots.get(index).putFloat(0, (Float) value);
        }
    }

    /** What the driver is given for the first so many. */
    Pointer first(int count) {
        return Pointer.to(Arrays.copyOf(pointers, count));
    }

    /** A single number of 32 bits. */
    static Pointer constant(float value) {
        return Pointer.to(ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, value));
    }
}
