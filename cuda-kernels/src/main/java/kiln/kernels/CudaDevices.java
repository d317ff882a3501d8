package kiln.kernels;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * The CUDA devices of this machine, or why there are none that can be used.
 *
 * @param devices in the driver's order; empty when there is none
 * @param driverVersion of the kernel module ("550.54.14"), {@code null} when unknown
 * @param cudaVersion the newest CUDA that the driver speaks ("12.4"), {@code null} when it was not reached
 * @param reason why {@code devices} is empty, in one line; {@code null} when it is not
 */
public record CudaDevices(List<Device> devices, String driverVersion, String cudaVersion, String reason) {
    /**
     * One card.
     *
     * @param index in the driver's order, which begins with the fastest card and leaves out those that CUDA_VISIBLE_DEVICES hides
     * @param uuid as {@code nvidia-smi -L} prints it: "GPU-" and 32 hexadecimal digits in groups; {@code null} when the driver is too old
     * @param freeBytes memory that nothing uses, a context's own share already taken off; negative when the driver would not say
     * @param major of the compute capability
     */
    public record Device(int index, String name, String uuid, long totalBytes, long freeBytes, int major, int minor) {
        public Device {
            Objects.requireNonNull(name, "name");
        }

        /** Index and name: "0 (NVIDIA GeForce GT 1030)". */
        public String label() {
            return index + " (" + name + ")";
        }

        /** The compute capability, times ten: 86. */
        public int capabilityTimesTen() {
            return major * 10 + minor;
        }

        /** The compute capability as it is usually written: "8.6". */
        public String capability() {
            return major + "." + minor;
        }
    }

    public CudaDevices {
        devices = List.copyOf(devices);
        if (devices.isEmpty() == (reason == null)) {
            throw new IllegalArgumentException("either devices or a reason");
        }
    }

    static CudaDevices none(String driverVersion, String reason) {
        return new CudaDevices(List.of(), driverVersion, null, reason);
    }

    /**
     * Asks the driver. JCuda's classes, whose loading unpacks and links a native library, are touched only when the driver's library is
     * there. Takes a few tenths of a second with a driver and nearly nothing without. Never throws. Any thread.
     *
     * @param nativesFolder where JCuda's native library is unpacked; made, readable by this user only, when missing
     */
    public static CudaDevices probe(Path nativesFolder) {
        String driverVersion = SystemLibraries.moduleVersion();
        try {
            Path library = SystemLibraries.find(SystemLibraries.DRIVER);
            if (library == null) {
                return none(driverVersion, "no NVIDIA driver: " + SystemLibraries.DRIVER + " was not found");
            }
            return JCudaProbe.probe(library, nativesFolder, driverVersion);
        } catch (Exception | LinkageError e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
            return none(driverVersion, "the CUDA driver cannot be used: " + message);
        }
    }
}
