package kiln.runtime.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import kiln.kernels.CudaDevices;
import kiln.kernels.DeviceChoice;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;

/**
 * The graphics cards of this machine and which of them is used.
 *
 * @param cards in the driver's order; empty when there is none that can be used
 * @param driverVersion of the kernel module ("550.54.14"), {@code null} when unknown
 * @param cudaVersion the newest CUDA that the driver speaks ("12.4"), {@code null} when it was not reached
 * @param reason why {@code cards} is empty, in one line; {@code null} when it is not
 * @param chosen the card that would be used, {@code null} when there is none that can be
 * @param choice why this one, or why none and what to do, in one line
 * @param variables what the driver reads of the environment: {@link #VISIBLE_DEVICES} and {@link #DEVICE_ORDER} where they are set, even
 *     to nothing
 * @param libraries those that may compute in place of Kiln's own kernels
 */
public record CardFindings(
        List<Card> cards,
        String driverVersion,
        String cudaVersion,
        String reason,
        Card chosen,
        String choice,
        Map<String, String> variables,
        List<LibraryFinding> libraries) {
    /** Restricts and reorders what the driver shows; the driver reads it itself. */
    public static final String VISIBLE_DEVICES = DeviceChoice.VISIBLE_DEVICES;
    /** Decides the order of the driver's indices: the fastest first, or PCI_BUS_ID as {@code nvidia-smi} counts. */
    public static final String DEVICE_ORDER = DeviceChoice.DEVICE_ORDER;

    /**
     * One card.
     *
     * @param index in the driver's order
     * @param uuid "GPU-" and 32 hexadecimal digits in groups; {@code null} when the driver is too old
     * @param freeBytes of its memory; negative when the driver would not say
     * @param major of the compute capability
     */
    public record Card(int index, String name, String uuid, long totalBytes, long freeBytes, int major, int minor) {
        public Card {
            Objects.requireNonNull(name, "name");
        }

        /** Index and name: "0 (NVIDIA GeForce GT 1030)". */
        public String label() {
            return index + " (" + name + ")";
        }

        /** The compute capability as it is usually written: "8.6". */
        public String capability() {
            return major + "." + minor;
        }

        private static Card of(CudaDevices.Device device) {
            if (device == null) {
                return null;
            }
            return new Card(
                    device.index(), device.name(), device.uuid(), device.totalBytes(), device.freeBytes(), device.major(), device.minor());
        }
    }

    public CardFindings {
        cards = List.copyOf(cards);
        Objects.requireNonNull(choice, "choice");
        variables = Map.copyOf(variables);
        libraries = List.copyOf(libraries);
    }

    /**
     * Asks the driver, which takes a few tenths of a second where there is one, and loads what libraries there are. Never throws.
     *
     * @param environment of the process
     */
    public static CardFindings look(EngineOptions options, Map<String, String> environment) {
        CudaDevices found = CudaDevices.probe(Devices.cudaNativesFolder(options));
        DeviceChoice choice = choice(found, options, environment);
        Map<String, String> variables = new HashMap<>();
        Stream.of(VISIBLE_DEVICES, DEVICE_ORDER).filter(environment::containsKey).forEach(name -> variables.put(name, environment.get(name)));
        return new CardFindings(
                found.devices().stream().map(Card::of).toList(),
                found.driverVersion(),
                found.cudaVersion(),
                found.reason(),
                Card.of(choice.device()),
                choice.reason(),
                variables,
                LibraryFinding.look(options, choice.device(), Devices.cudaNativesFolder(options)));
    }

    private static DeviceChoice choice(CudaDevices found, EngineOptions options, Map<String, String> environment) {
        // An empty value hides every device: it is not the same as none.
        return DeviceChoice.among(found, options.device().device(), environment.get(VISIBLE_DEVICES));
    }

    /**
     * The card that pictures would be drawn on, {@code null} when it would be the CPU.
     *
     * @param environment of the process
     * @throws KilnException DEVICE when there are cards, but not the one that was asked for
     */
    public static Card wanted(EngineOptions options, Map<String, String> environment) {
        boolean wanted = options.executor().equals("auto") || options.executor().equals("cuda");
        if (!wanted || options.device().isCpuOnly()) {
            return null;
        }
        CudaDevices found = CudaDevices.probe(Devices.cudaNativesFolder(options));
        if (found.devices().isEmpty()) {
            return null;
        }
        DeviceChoice choice = choice(found, options, environment);
        if (choice.device() == null && options.device().device() != null) {
            throw new KilnException(Category.DEVICE, choice.reason());
        }
        return Card.of(choice.device());
    }

    /** Whether a text has the form of a card's index or of a UUID's beginning. */
    public static boolean isIndexOrUuid(String text) {
        return DeviceChoice.isIndexOrUuid(text);
    }
}
