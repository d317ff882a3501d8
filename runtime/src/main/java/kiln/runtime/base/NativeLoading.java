package kiln.runtime.base;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How JavaCPP loads the native libraries of its presets (oneDNN, Leptonica). It reads these settings when its first class is loaded, so
 * whoever may be first calls {@link #prepare()} before that. Safe from any thread.
 */
public final class NativeLoading {
    private static final AtomicReference<Path> FOLDER = new AtomicReference<>();

    private NativeLoading() {}

    /**
     * Where natives are unpacked when a library is loaded. The first folder holds: a process unpacks and loads them once, so that a later
     * one, or one told after the first use, would change nothing.
     */
    public static void unpackInto(Path folder) {
        FOLDER.compareAndSet(null, folder);
    }

    /** Sets JavaCPP's properties; called before each library's first use. */
    public static void prepare() {
        // JavaCPP would refuse native memory beyond the Java heap's size.
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        Path folder = FOLDER.get();
        if (folder != null) {
            System.setProperty("org.bytedeco.javacpp.cachedir", folder.toString());
            try {
                // JavaCPP makes it once and fails with a second library when the cache was emptied meanwhile.
                Files.createDirectories(folder);
            } catch (IOException e) {
                // It says itself, and better, what it cannot write.
                return;
            }
        }
    }
}
