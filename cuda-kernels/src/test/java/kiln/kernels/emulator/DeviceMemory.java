package kiln.kernels.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The emulated card's memory. Addresses look like a card's, are never given twice and have gaps between them, so that a stray one is seen.
 * Which bytes were ever written is remembered. Safe for several threads; one allocation is less than 2 GiB.
 */
public final class DeviceMemory {
    /** A request that does not fit in what is left. */
    public static final class OutOfMemory extends RuntimeException {
        OutOfMemory(long needed, long free) {
            super("device memory: needed " + needed + " bytes, " + free + " are free");
        }
    }

    /** A host access or a free that names no live memory. */
    public static final class BadAddress extends RuntimeException {
        BadAddress(String message) {
            super(message);
        }
    }

    static final class Allocation {
        final long base;
        final int bytes;
        final byte[] data;
        /** One for each byte that was written. */
        final byte[] initialised;
        volatile boolean freed;

        private Allocation(long base, int bytes, byte[] data, byte[] initialised) {
            this.base = base;
            this.bytes = bytes;
            this.data = data;
            this.initialised = initialised;
        }

        private Allocation released() {
            Allocation husk = new Allocation(base, bytes, null, null);
            husk.freed = true;
            freed = true;
            return husk;
        }
    }

    static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long FIRST_ADDRESS = 0x7f20_0000_0000L;
    private static final int GAP = 4096;
    private static final int ALIGNMENT = 512;

    private final ConcurrentSkipListMap<Long, Allocation> allocations = new ConcurrentSkipListMap<>();
    private final long capacity;
    private long used;
    private long peak;
    private long nextAddress = FIRST_ADDRESS;

    public DeviceMemory(long capacityBytes) {
        if (capacityBytes <= 0) {
            throw new IllegalArgumentException("device memory: capacity is " + capacityBytes + " bytes");
        }
        this.capacity = capacityBytes;
    }

    public synchronized long allocate(long bytes) {
        if (bytes <= 0 || bytes > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException("device memory: an allocation of " + bytes + " bytes; 1 to 2 GiB can be had at once");
        }
        if (bytes > capacity - used) {
            throw new OutOfMemory(bytes, capacity - used);
        }
        Allocation allocation = new Allocation(nextAddress, (int) bytes, new byte[(int) bytes], new byte[(int) bytes]);
        allocations.put(allocation.base, allocation);
        nextAddress += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GAP;
        used += bytes;
        peak = Math.max(peak, used);
        return allocation.base;
    }

    public synchronized void free(long address) {
        Allocation allocation = allocations.get(address);
        if (allocation == null || allocation.freed) {
            throw new BadAddress((allocation == null ? "no allocation begins at " : "already freed: ") + hex(address));
        }
        allocations.put(address, allocation.released());
        used -= allocation.bytes;
    }

    public long capacityBytes() {
        return capacity;
    }

    public synchronized long usedBytes() {
        return used;
    }

    public synchronized long peakBytes() {
        return peak;
    }

    public synchronized long freeBytes() {
        return capacity - used;
    }

    public void write(long address, byte[] source) {
        write(address, source, 0, source.length);
    }

    public void write(long address, byte[] source, int from, int bytes) {
        Allocation allocation = host(address, bytes);
        int at = (int) (address - allocation.base);
        System.arraycopy(source, from, allocation.data, at, bytes);
        Arrays.fill(allocation.initialised, at, at + bytes, (byte) 1);
    }

    /** From a buffer's bytes, whatever its position is. */
    public void write(long address, ByteBuffer source, int from, int bytes) {
        Allocation allocation = host(address, bytes);
        int at = (int) (address - allocation.base);
        source.get(from, allocation.data, at, bytes);
        Arrays.fill(allocation.initialised, at, at + bytes, (byte) 1);
    }

    public void write(long address, float[] source) {
        byte[] bytes = new byte[source.length * 4];
        for (int i = 0; i < source.length; i++) {
            FLOAT.set(bytes, i * 4, source[i]);
        }
        write(address, bytes);
    }

    public void write(long address, int[] source) {
        byte[] bytes = new byte[source.length * 4];
        for (int i = 0; i < source.length; i++) {
            INT.set(bytes, i * 4, source[i]);
        }
        write(address, bytes);
    }

    public void write(long address, short[] source) {
        byte[] bytes = new byte[source.length * 2];
        for (int i = 0; i < source.length; i++) {
            SHORT.set(bytes, i * 2, source[i]);
        }
        write(address, bytes);
    }

    public void read(long address, byte[] target) {
        read(address, target, 0, target.length);
    }

    public void read(long address, byte[] target, int at, int bytes) {
        Allocation allocation = host(address, bytes);
        System.arraycopy(allocation.data, (int) (address - allocation.base), target, at, bytes);
    }

    public void read(long address, ByteBuffer target, int at, int bytes) {
        Allocation allocation = host(address, bytes);
        target.put(at, allocation.data, (int) (address - allocation.base), bytes);
    }

    public byte[] readBytes(long address, int bytes) {
        byte[] target = new byte[bytes];
        read(address, target);
        return target;
    }

    public float[] readFloats(long address, int count) {
        byte[] bytes = readBytes(address, count * 4);
        float[] target = new float[count];
        for (int i = 0; i < count; i++) {
            target[i] = (float) FLOAT.get(bytes, i * 4);
        }
        return target;
    }

    public int[] readInts(long address, int count) {
        byte[] bytes = readBytes(address, count * 4);
        int[] target = new int[count];
        for (int i = 0; i < count; i++) {
            target[i] = (int) INT.get(bytes, i * 4);
        }
        return target;
    }

    public short[] readShorts(long address, int count) {
        byte[] bytes = readBytes(address, count * 2);
        short[] target = new short[count];
        for (int i = 0; i < count; i++) {
            target[i] = (short) SHORT.get(bytes, i * 2);
        }
        return target;
    }

    /** Sets bytes, as cuMemsetD8 does. */
    public void fill(long address, long bytes, byte value) {
        Allocation allocation = host(address, bytes);
        int at = (int) (address - allocation.base);
        Arrays.fill(allocation.data, at, at + (int) bytes, value);
        Arrays.fill(allocation.initialised, at, at + (int) bytes, (byte) 1);
    }

    /** Sets words, as cuMemsetD32 does. */
    public void fillInts(long address, int count, int value) {
        int[] words = new int[count];
        Arrays.fill(words, value);
        write(address, words);
    }

    /** Copies within the card; bytes that were never written stay so in the copy. */
    public void copy(long target, long source, long bytes) {
        Allocation from = host(source, bytes);
        Allocation to = host(target, bytes);
        int at = (int) (target - to.base);
        System.arraycopy(from.data, (int) (source - from.base), to.data, at, (int) bytes);
        System.arraycopy(from.initialised, (int) (source - from.base), to.initialised, at, (int) bytes);
    }

    /** Whether every byte of a range was written. */
    public boolean isInitialised(long address, long bytes) {
        Allocation allocation = host(address, bytes);
        int at = (int) (address - allocation.base);
        for (int i = 0; i < bytes; i++) {
            if (allocation.initialised[at + i] == 0) {
                return false;
            }
        }
        return true;
    }

    private Allocation host(long address, long bytes) {
        Allocation allocation = find(address);
        String problem = problem(allocation, address, bytes);
        if (problem != null) {
            throw new BadAddress("host access of " + bytes + " bytes at " + hex(address) + " " + problem);
        }
        return allocation;
    }

    /** The allocation at or below an address, live or freed; null if there is none. */
    Allocation find(long address) {
        Map.Entry<Long, Allocation> entry = allocations.floorEntry(address);
        return entry == null ? null : entry.getValue();
    }

    /** What is wrong with an access, or null. */
    static String problem(Allocation allocation, long address, long bytes) {
        if (allocation == null) {
            return "is in no allocation";
        }
        long offset = address - allocation.base;
        if (offset + bytes > allocation.bytes) {
            if (offset > allocation.bytes + (1L << 30)) {
                return "is in no allocation";
            }
            return "ends " + (offset + bytes - allocation.bytes) + " bytes past the end of the allocation of " + allocation.bytes
                    + " bytes at " + hex(allocation.base) + (allocation.freed ? " (freed)" : "");
        }
        return allocation.freed ? "is in memory that was freed (" + allocation.bytes + " bytes at " + hex(allocation.base) + ")" : null;
    }

    /** Whether all of a few bytes of a map of what is written are set. */
    static boolean allSet(byte[] initialised, int at, int bytes) {
        switch (bytes) {
            case 2 -> {
                return (short) SHORT.get(initialised, at) == 0x0101;
            }
            case 4 -> {
                return (int) INT.get(initialised, at) == 0x01010101;
            }
            case 8 -> {
                return (long) LONG.get(initialised, at) == 0x0101010101010101L;
            }
            case 16 -> {
                return ((long) LONG.get(initialised, at) & (long) LONG.get(initialised, at + 8)) == 0x0101010101010101L;
            }
            default -> {
                for (int i = at; i < at + bytes; i++) {
                    if (initialised[i] == 0) {
                        return false;
                    }
                }
                return true;
            }
        }
    }

    static void setAll(byte[] initialised, int at, int bytes) {
        switch (bytes) {
            case 2 -> SHORT.set(initialised, at, (short) 0x0101);
            case 4 -> INT.set(initialised, at, 0x01010101);
            case 8 -> LONG.set(initialised, at, 0x0101010101010101L);
            case 16 -> {
                LONG.set(initialised, at, 0x0101010101010101L);
                LONG.set(initialised, at + 8, 0x0101010101010101L);
            }
            default -> Arrays.fill(initialised, at, at + bytes, (byte) 1);
        }
    }

    static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
