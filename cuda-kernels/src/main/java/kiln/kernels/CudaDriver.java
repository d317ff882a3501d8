package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The one seam to CUDA: everything that Kiln asks of a card goes through this and {@link CudaContext}.
 *
 * <p>Any thread.
 */
public interface CudaDriver {
    /** In the driver's order. Memory figures are those of the moment. */
    List<CudaDevices.Device> devices();

    /**
     * Makes the device ready.
     *
     * @throws CudaException when the device is taken, full, or not there
     */
    CudaContext open(int device);

    /**
     * The real one, on JCuda.
     *
     * @param nativesFolder where JCuda's native library is unpacked; made, readable by this user only, when missing
     * @throws IOException in one line, when there is no driver or JCuda's library cannot be unpacked
     * @throws CudaException when the driver does not start
     */
    static CudaDriver load(Path nativesFolder) throws IOException {
        Path library = SystemLibraries.find(SystemLibraries.DRIVER);
        if (library == null) {
            throw new IOException("no NVIDIA driver: " + SystemLibraries.DRIVER + " was not found");
        }
        return JCudaSeam.load(library, nativesFolder);
    }
}
