package kiln.kernels;

/** Why a CUDA driver that is there does not start, in words. */
final class DriverStart {
    private DriverStart() {}

    /**
     * @param symbol what {@code cuInit} said
     * @param visibleDevices the value of CUDA_VISIBLE_DEVICES, {@code null} when it is not set
     */
    static String failure(String symbol, String visibleDevices) {
        String hint = switch (symbol) {
            case "CUDA_ERROR_NO_DEVICE" -> visibleDevices == null
                    ? ": there is no NVIDIA card, or this container was not given one"
                    : ": " + DeviceChoice.VISIBLE_DEVICES + "=" + visibleDevices + " names no card that is here (nvidia-smi -L lists them)";
            case "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" ->
                ": the driver's library and its kernel module differ in version, as after an update: restart the machine";
            case "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE" ->
                ": the compatibility libraries of a newer CUDA do not work with this card: take their folder out of LD_LIBRARY_PATH";
            case "CUDA_ERROR_UNKNOWN" -> ": its kernel module nvidia-uvm may be missing (nvidia-modprobe -u loads it)";
            default -> "";
        };
        return "the CUDA driver does not start: " + symbol + hint;
    }
}
