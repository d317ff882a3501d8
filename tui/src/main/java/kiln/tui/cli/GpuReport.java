package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import kiln.kernels.CudaDevices;
import kiln.kernels.DeviceChoice;
import kiln.runtime.check.LibraryFinding;
import kiln.runtime.engine.EngineOptions;

/**
 * The part of {@code kiln doctor} that is about graphics cards.
 *
 * @param choice the device that would be used, or why none
 * @param variables what the driver reads of the environment, {@code null} where it is not set
 * @param libraries those that may compute in place of Kiln's own kernels
 */
record GpuReport(CudaDevices found, DeviceChoice choice, Map<String, String> variables, List<LibraryFinding> libraries) {
    GpuReport {
        libraries = List.copyOf(libraries);
    }

    /**
     * Asks the driver and loads what libraries there are.
     *
     * @param options what is asked for
     * @param nativesFolder as {@link CudaDevices#probe} takes it
     */
    static GpuReport look(CliContext context, EngineOptions options, Path nativesFolder) {
        CudaDevices found = CudaDevices.probe(nativesFolder);
        Map<String, String> variables = new LinkedHashMap<>();
        for (String name : List.of(DeviceChoice.VISIBLE_DEVICES, DeviceChoice.DEVICE_ORDER)) {
            // An empty value hides every device: it is not the same as none.
            variables.put(name, context.environment().get(name));
        }
        DeviceChoice choice = DeviceChoice.among(found, options.device().device(), variables.get(DeviceChoice.VISIBLE_DEVICES));
        return new GpuReport(found, choice, variables, LibraryFinding.look(options, choice.device(), nativesFolder));
    }

    /** @param line takes the name of a line, empty for more of the line above, and its text */
    void print(BiConsumer<String, String> line) {
        for (CudaDevices.Device device : found.devices()) {
            String free = device.freeBytes() < 0 ? "free memory unknown" : Quantities.bytes(device.freeBytes()) + " free";
            line.accept(
                    "GPU " + device.index(),
                    device.name() + ", compute capability " + device.capability() + ", " + free + " of " + Quantities.bytes(device.totalBytes()));
            line.accept("", device.uuid() == null ? "UUID unknown" : device.uuid());
        }
        if (found.driverVersion() != null || found.cudaVersion() != null) {
            line.accept(
                    "driver",
                    (found.driverVersion() == null ? "version unknown" : found.driverVersion())
                            + (found.cudaVersion() == null ? "" : ", CUDA up to " + found.cudaVersion()));
        }
        String visible = variables.get(DeviceChoice.VISIBLE_DEVICES);
        if (visible != null) {
            line.accept(
                    "environment",
                    DeviceChoice.VISIBLE_DEVICES + "=" + Quantities.printable(visible, 120) + ": other devices are hidden, indices count what is left");
        }
        String order = variables.get(DeviceChoice.DEVICE_ORDER);
        if (order != null) {
            line.accept("environment", DeviceChoice.DEVICE_ORDER + "=" + Quantities.printable(order, 120));
        } else if (found.devices().size() > 1) {
            line.accept("", "indices are CUDA's, the fastest first: nvidia-smi may count differently, UUIDs are the same");
        }
        String chosen = choice.device() == null ? "none: " : choice.device().label() + ": ";
        line.accept(found.devices().isEmpty() ? "GPU" : "GPU chosen", chosen + choice.reason());
        for (LibraryFinding library : libraries) {
            String version = library.version() == null ? "loads" : "version " + library.version();
            String state = library.problem() == null ? version : library.problem();
            line.accept(library.file(), library.path() == null ? state : library.path() + ", " + state);
            line.accept("", library.use());
        }
    }

    /**
     * The fields "gpu", "libraries" (where they are), "libraryVersions", "libraryProblems" (why they cannot be used) and "libraryUses" (who
     * computes instead).
     */
    void write(JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("gpu");
        out.writeArrayFieldStart("devices");
        for (CudaDevices.Device device : found.devices()) {
            out.writeStartObject();
            out.writeNumberField("index", device.index());
            out.writeStringField("name", device.name());
            out.writeStringField("uuid", device.uuid());
            out.writeStringField("capability", device.capability());
            out.writeNumberField("totalBytes", device.totalBytes());
            if (device.freeBytes() < 0) {
                out.writeNullField("freeBytes");
            } else {
                out.writeNumberField("freeBytes", device.freeBytes());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeStringField("driver", found.driverVersion());
        out.writeStringField("cuda", found.cudaVersion());
        out.writeStringField("reason", found.reason());
        if (choice.device() == null) {
            out.writeNullField("chosen");
        } else {
            out.writeNumberField("chosen", choice.device().index());
        }
        out.writeStringField("choice", choice.reason());
        out.writeObjectFieldStart("environment");
        for (Map.Entry<String, String> variable : variables.entrySet()) {
            out.writeStringField(variable.getKey(), variable.getValue());
        }
        out.writeEndObject();
        out.writeEndObject();
        writeLibraries(out, "libraries", library -> library.path() == null ? null : library.path().toString());
        writeLibraries(out, "libraryVersions", LibraryFinding::version);
        writeLibraries(out, "libraryProblems", LibraryFinding::problem);
        writeLibraries(out, "libraryUses", LibraryFinding::use);
    }

    private void writeLibraries(JsonGenerator out, String name, Function<LibraryFinding, String> value) throws IOException {
        out.writeObjectFieldStart(name);
        for (LibraryFinding library : libraries) {
            out.writeStringField(library.file(), value.apply(library));
        }
        out.writeEndObject();
    }
}
