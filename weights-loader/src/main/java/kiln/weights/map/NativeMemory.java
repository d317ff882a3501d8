package kiln.weights.map;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.Optional;

/**
 * How this Java maps a piece of a file, and gets rid of the mapping at once instead of when the collector pleases.
 *
 * <p>From Java 22 a shared {@code Arena} owns the piece, and a buffer used after its end throws. Before that,
 * {@code Unsafe.invokeCleaner} unmaps it, and a buffer used after its end is the caller's fault and ends the process:
 * newer Javas would print a warning for that method to the terminal. Both are found by name, so that the code compiles on
 * Java 17. Where neither works, {@link #reasonUnmappingIsLate} says why, and the collector does it.
 */
final class NativeMemory {
    private static final Access ACCESS;
    private static final String REASON_LATE;

    static {
        Access access = new Late();
        String reason = null;
        try {
            access = Runtime.version().feature() >= 22 ? new Arenas() : new Cleaners();
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            reason = "unmapping files at once is not available here (" + e + "): memory is given back by the collector";
        }
        ACCESS = access;
        REASON_LATE = reason;
    }

    private NativeMemory() {}

    /** Why closed mappings stay until the next garbage collection; empty when they go at once. */
    static Optional<String> reasonUnmappingIsLate() {
        return Optional.ofNullable(REASON_LATE);
    }

    static Owned map(FileChannel channel, long offset, long bytes) throws IOException {
        return ACCESS.map(channel, offset, bytes);
    }

    static Owned allocate(int bytes) {
        return ACCESS.allocate(bytes);
    }

    /** A buffer, and what ends it. The release is called once at most. */
    record Owned(ByteBuffer buffer, Runnable release) {}

    private interface Access {
        Owned map(FileChannel channel, long offset, long bytes) throws IOException;

        Owned allocate(int bytes);
    }

    private static class Late implements Access {
        @Override
        public Owned map(FileChannel channel, long offset, long bytes) throws IOException {
            return owned(channel.map(MapMode.READ_ONLY, offset, bytes));
        }

        @Override
        public Owned allocate(int bytes) {
            return owned(ByteBuffer.allocateDirect(bytes));
        }

        Owned owned(ByteBuffer buffer) {
            return new Owned(buffer, () -> { });
        }
    }

    private static final class Cleaners extends Late {
        private final MethodHandle invokeCleaner;

        Cleaners() throws ReflectiveOperationException {
            Class<?> unsafe = Class.forName("sun.misc.Unsafe");
            Field instance = unsafe.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            invokeCleaner = MethodHandles.lookup()
                    .findVirtual(unsafe, "invokeCleaner", MethodType.methodType(void.class, ByteBuffer.class))
                    .bindTo(instance.get(null));
        }

        @Override
        Owned owned(ByteBuffer buffer) {
            return new Owned(buffer, () -> {
                try {
                    invokeCleaner.invokeExact(buffer);
                } catch (Throwable e) {
                    throw new IllegalStateException("cannot unmap: " + e, e);
                }
            });
        }
    }

    private static final class Arenas implements Access {
        private final MethodHandle ofShared;
        private final MethodHandle mapInArena;
        private final MethodHandle allocateInArena;
        private final MethodHandle asByteBuffer;

        Arenas() throws ReflectiveOperationException {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            Class<?> arena = Class.forName("java.lang.foreign.Arena");
            Class<?> segment = Class.forName("java.lang.foreign.MemorySegment");
            ofShared = lookup.findStatic(arena, "ofShared", MethodType.methodType(arena))
                    .asType(MethodType.methodType(AutoCloseable.class));
            mapInArena = lookup.findVirtual(FileChannel.class, "map",
                            MethodType.methodType(segment, MapMode.class, long.class, long.class, arena))
                    .asType(MethodType.methodType(Object.class, FileChannel.class, MapMode.class, long.class, long.class,
                            AutoCloseable.class));
            allocateInArena = lookup.findVirtual(arena, "allocate", MethodType.methodType(segment, long.class, long.class))
                    .asType(MethodType.methodType(Object.class, AutoCloseable.class, long.class, long.class));
            asByteBuffer = lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class))
                    .asType(MethodType.methodType(ByteBuffer.class, Object.class));
        }

        @Override
        public Owned map(FileChannel channel, long offset, long bytes) throws IOException {
            AutoCloseable arena = newArena();
            try {
                Object segment = (Object) mapInArena.invokeExact(channel, MapMode.READ_ONLY, offset, bytes, arena);
                return new Owned((ByteBuffer) asByteBuffer.invokeExact(segment), () -> close(arena));
            } catch (Throwable e) {
                close(arena);
                throw rethrow(e);
            }
        }

        @Override
        public Owned allocate(int bytes) {
            AutoCloseable arena = newArena();
            try {
                Object segment = (Object) allocateInArena.invokeExact(arena, (long) bytes, 64L);
                return new Owned((ByteBuffer) asByteBuffer.invokeExact(segment), () -> close(arena));
            } catch (Throwable e) {
                close(arena);
                throw new IllegalStateException("cannot allocate " + bytes + " bytes: " + e, e);
            }
        }

        private AutoCloseable newArena() {
            try {
                return (AutoCloseable) ofShared.invokeExact();
            } catch (Throwable e) {
                throw new IllegalStateException("cannot open an arena: " + e, e);
            }
        }

        private static void close(AutoCloseable arena) {
            try {
                arena.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot unmap: " + e, e);
            }
        }

        private static IOException rethrow(Throwable e) throws IOException {
            if (e instanceof IOException io) {
                throw io;
            }
            if (e instanceof Error error) {
                throw error;
            }
            throw new IOException(e);
        }
    }
}
