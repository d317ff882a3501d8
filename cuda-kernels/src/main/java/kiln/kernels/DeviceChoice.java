package kiln.kernels;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which card is used, and why.
 *
 * @param device {@code null} when there is none that can be
 * @param reason for people, in one line: why this device, or why none and what to do
 */
public record DeviceChoice(CudaDevices.Device device, String reason) {
    /** Restricts and reorders what the driver shows; the driver reads it itself. */
    public static final String VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES";
    /** Decides the order of the driver's indices: the fastest first, or PCI_BUS_ID as {@code nvidia-smi} counts. */
    public static final String DEVICE_ORDER = "CUDA_DEVICE_ORDER";

    /** Kiln's kernels are for Maxwell, sm_50, and newer. */
    private static final int FLOOR_MAJOR = 5;
    private static final Pattern INDEX = Pattern.compile("\\d{1,4}");
    private static final Pattern UUID_BEGINNING = Pattern.compile("(?i)gpu-[0-9a-f-]*");

    public DeviceChoice {
        Objects.requireNonNull(reason, "reason");
    }

    /** Whether a text has the form of an index or of a UUID's beginning. */
    public static boolean isIndexOrUuid(String text) {
        return INDEX.matcher(text).matches() || UUID_BEGINNING.matcher(text).matches();
    }

    /**
     * @param found what the driver shows
     * @param wanted an index or the beginning of a UUID, {@code null} for the device with the most free memory
     * @param visibleDevices the value of {@link #VISIBLE_DEVICES}, {@code null} when it is not set
     * @throws IllegalArgumentException when {@code wanted} has another form
     */
    public static DeviceChoice among(CudaDevices found, String wanted, String visibleDevices) {
        if (wanted != null && !isIndexOrUuid(wanted)) {
            throw new IllegalArgumentException("'" + wanted + "' is neither an index nor the beginning of a UUID");
        }
        if (found.devices().isEmpty()) {
            return none(found.reason());
        }
        String among = visibleDevices == null ? "" : " among those that " + VISIBLE_DEVICES + "=" + visibleDevices + " shows";
        return wanted == null ? mostFree(found.devices(), among) : named(found.devices(), wanted, among);
    }

    private static DeviceChoice none(String reason) {
        return new DeviceChoice(null, reason);
    }

    private static DeviceChoice mostFree(List<CudaDevices.Device> devices, String among) {
        List<CudaDevices.Device> able = devices.stream().filter(DeviceChoice::isAble).toList();
        if (able.isEmpty()) {
            return none("no device has compute capability " + FLOOR_MAJOR + ".0, which Kiln needs" + among + ": " + list(devices));
        }
        // Of equal ones the first: the driver's order begins with the fastest.
        CudaDevices.Device best = able.stream()
                .max(Comparator.comparingLong(CudaDevices.Device::freeBytes).thenComparing(device -> -device.index()))
                .orElseThrow();
        if (able.size() > 1) {
            return new DeviceChoice(best, "it has the most free memory" + among);
        }
        return new DeviceChoice(best, devices.size() == 1 ? "it is the only one" + among : "it is the only one that Kiln's kernels run on" + among);
    }

    private static DeviceChoice named(List<CudaDevices.Device> devices, String wanted, String among) {
        boolean index = INDEX.matcher(wanted).matches();
        String beginning = wanted.toLowerCase(Locale.ROOT);
        List<CudaDevices.Device> fitting = devices.stream()
                .filter(device -> index
                        ? device.index() == Integer.parseInt(wanted)
                        : device.uuid() != null && device.uuid().toLowerCase(Locale.ROOT).startsWith(beginning))
                .toList();
        String name = index ? "index " + wanted : "UUID " + wanted;
        if (fitting.isEmpty()) {
            return none("no device has the " + name + among + ": " + list(devices));
        }
        if (fitting.size() > 1) {
            return none(fitting.size() + " devices have a " + name + "…: " + list(fitting) + "; give more of it");
        }
        CudaDevices.Device device = fitting.get(0);
        if (!isAble(device)) {
            return none("device " + device.label() + " has compute capability " + device.capability() + ", Kiln needs " + FLOOR_MAJOR + ".0");
        }
        return new DeviceChoice(device, "it was asked for by " + (index ? "index" : "UUID") + among);
    }

    private static boolean isAble(CudaDevices.Device device) {
        return device.major() >= FLOOR_MAJOR;
    }

    /** "0 (GeForce GT 1030, GPU-8a56…), 1 (…)". */
    private static String list(List<CudaDevices.Device> devices) {
        return devices.stream()
                .map(device -> device.index() + " (" + device.name() + ", " + (device.uuid() == null ? "UUID unknown" : device.uuid()) + ")")
                .collect(Collectors.joining(", "));
    }
}
