package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import kiln.kernels.emulator.StandInLibrary;

/** JCuda with its own natives, on the stand-in for libcuda.so.1: all that runs with a real card, without one. For the tests of other modules, too. */
public final class StandInDriver {
    private StandInDriver() {}

    /** Why it cannot be had here, in one line; null if it can. */
    public static String obstacle() {
        return SystemLibraries.find(SystemLibraries.DRIVER) == null
                ? StandInLibrary.obstacle()
                : "this machine has a real driver, and JCuda can have but one";
    }

    /** @param folder of compiled and unpacked libraries, which stay loaded until the JVM ends: no temporary one */
    public static CudaDriver load(Path folder) throws IOException {
        return JCudaSeam.load(StandInLibrary.compile(folder), folder.resolve("natives"));
    }
}
