package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kiln.runtime.base.Version;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln doctor}: what Kiln finds on this machine, what it will use and why. */
@CommandLine.Command(
        name = "doctor",
        description = "Show what this machine has, what Kiln will use and why, and where its files are.")
final class DoctorCommand extends Command {
    private static final List<String> TERMINAL_VARIABLES =
            List.of("TERM", "COLORTERM", "TERM_PROGRAM", "TMUX", "STY", "SSH_TTY", "NO_COLOR", "LC_TERMINAL");

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(
            names = "--json",
            description = "{\"version\", \"java\", \"cpu\", \"memory\", \"gpu\", \"libraries\", \"executor\", \"terminal\","
                    + " \"places\", \"models\"}")
    boolean json;

    DoctorCommand(CliContext context) {
        super(context);
    }

    /** Everything that was found. */
    private record Findings(
            Machine machine,
            GpuReport gpu,
            String executor,
            Map<String, String> terminal,
            Places places,
            int models,
            String defaultModel) {}

    @Override
    int run() {
        Findings findings = look();
        if (json) {
            Json.print(context.out(), out -> write(out, findings));
        } else {
            print(findings);
        }
        return 0;
    }

    private Findings look() {
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, device);
        Map<String, String> terminal = new LinkedHashMap<>();
        TERMINAL_VARIABLES.forEach(name -> terminal.put(name, context.variable(name)));
        try (Engine engine = new Engine(options)) {
            int models = engine.models().models().size();
            return new Findings(
                    Machine.read(),
                    GpuReport.look(context, options, places.cache().resolve("natives/jcuda")),
                    Devices.explain(options),
                    terminal,
                    places,
                    models,
                    models == 0 ? null : engine.defaultModel().toString());
        }
    }

    private void print(Findings found) {
        Machine machine = found.machine;
        line("Kiln", Version.TEXT + ", Java " + System.getProperty("java.runtime.version") + " (" + System.getProperty("java.home") + "), "
                + System.getProperty("os.name") + " " + System.getProperty("os.version"));
        line("CPU", machine.cpu() + ", " + Quantities.count(machine.threads(), "thread"));
        line("", machine.cpuFeatures().isEmpty() ? "instruction sets unknown" : String.join(" ", machine.cpuFeatures()));
        line("memory", size(machine.availableBytes()) + " free of " + size(machine.memoryBytes())
                + (machine.limitBytes() < 0 ? "" : ", of which a container's limit allows " + size(machine.limitBytes())));
        found.gpu.print(this::line);
        line("computing", found.executor);
        line("terminal", "input " + tty(context.inIsTty()) + ", output " + tty(context.outIsTty()) + ", errors " + tty(context.errIsTty())
                + ", " + context.columns() + " columns, locale " + System.getProperty("kiln.locale", "unknown"));
        line("", found.terminal.entrySet().stream()
                .filter(variable -> variable.getValue() != null)
                .map(variable -> variable.getKey() + "=" + Quantities.printable(variable.getValue(), 80))
                .collect(Collectors.joining(" ")));
        found.places.named().forEach((name, path) -> line(name, path == null ? "none" : path + state(path)));
        found.places.checkpointFolders().forEach(path -> line("searched", path + state(path)));
        line("models", found.models == 0
                ? "none found: put a .safetensors or .ckpt file into " + found.places.checkpointFolders().get(0)
                : found.models + " found, used without --ckpt: " + found.defaultModel);
    }

    private void line(String name, String text) {
        if (!text.isEmpty()) {
            context.out().println(name + " ".repeat(Math.max(1, 16 - name.length())) + text);
        }
    }

    private static String tty(boolean isTty) {
        return isTty ? "is one" : "is none";
    }

    private static String size(long bytes) {
        return bytes < 0 ? "unknown" : Quantities.bytes(bytes);
    }

    private static String state(Path path) {
        if (!Files.exists(path)) {
            return " (not there yet)";
        }
        return Files.isWritable(path) ? "" : " (read-only)";
    }

    private void write(JsonGenerator out, Findings found) throws IOException {
        out.writeStartObject();
        out.writeStringField("version", Version.TEXT);
        out.writeObjectFieldStart("java");
        for (String name : List.of("version", "vendor", "home")) {
            out.writeStringField(name, System.getProperty("java." + name));
        }
        out.writeNumberField("maxHeapBytes", Runtime.getRuntime().maxMemory());
        out.writeEndObject();
        out.writeObjectFieldStart("cpu");
        out.writeStringField("name", found.machine.cpu());
        out.writeNumberField("threads", found.machine.threads());
        out.writeArrayFieldStart("features");
        for (String feature : found.machine.cpuFeatures()) {
            out.writeString(feature);
        }
        out.writeEndArray();
        out.writeEndObject();
        out.writeObjectFieldStart("memory");
        writeKnown(out, "totalBytes", found.machine.memoryBytes());
        writeKnown(out, "availableBytes", found.machine.availableBytes());
        writeKnown(out, "limitBytes", found.machine.limitBytes());
        out.writeEndObject();
        found.gpu.write(out);
        out.writeStringField("executor", found.executor);
        out.writeObjectFieldStart("terminal");
        out.writeBooleanField("stdin", context.inIsTty());
        out.writeBooleanField("stdout", context.outIsTty());
        out.writeBooleanField("stderr", context.errIsTty());
        out.writeNumberField("columns", context.columns());
        out.writeStringField("locale", System.getProperty("kiln.locale"));
        for (Map.Entry<String, String> variable : found.terminal.entrySet()) {
            out.writeStringField(variable.getKey(), variable.getValue());
        }
        out.writeEndObject();
        writePlaces(out, found.places);
        out.writeObjectFieldStart("models");
        out.writeNumberField("found", found.models);
        out.writeStringField("default", found.defaultModel);
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void writeKnown(JsonGenerator out, String name, long value) throws IOException {
        if (value < 0) {
            out.writeNullField(name);
        } else {
            out.writeNumberField(name, value);
        }
    }

    private static void writePlaces(JsonGenerator out, Places places) throws IOException {
        out.writeObjectFieldStart("places");
        for (Map.Entry<String, Path> place : places.named().entrySet()) {
            out.writeStringField(place.getKey(), place.getValue() == null ? null : place.getValue().toString());
        }
        out.writeArrayFieldStart("checkpointFolders");
        for (Path folder : places.checkpointFolders()) {
            out.writeString(folder.toString());
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
