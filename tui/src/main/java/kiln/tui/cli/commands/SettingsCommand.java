package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import kiln.runtime.engine.WebUiConfig;
import kiln.runtime.engine.WebUiSettings;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.WebUiFolder;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln settings}: what a web UI's options mean here. */
@CommandLine.Command(
        name = "settings",
        description = "List the options of a web UI's config.json: value, default, and whether they act here or why not.")
final class SettingsCommand extends CliCommand {
    private static final int SHOWN = 60;

    @Option(names = "--all", description = "Also those that do nothing here and are as A1111 installs them.")
    boolean all;

    @Option(
            names = "--json",
            description = "{\"file\", \"exists\", \"quicksettings\", \"settings\": [{\"name\", \"value\", \"default\", \"acts\", \"reason\"}],"
                    + " \"unknown\"}; always all of them")
    boolean json;

    SettingsCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        WebUiFolder folder = global.places(context).webUi();
        WebUiSettings settings = WebUiSettings.of(folder.settings(), WebUiFolder.READ::contains);
        if (json) {
            Json.print(context.out(), out -> write(out, folder, settings));
        } else {
            print(folder, settings);
        }
        return 0;
    }

    private void print(WebUiFolder folder, WebUiSettings settings) {
        WebUiConfig config = folder.settings();
        context.out().println(config.file() + (config.exists() ? "" : " is not there: these are A1111's defaults"));
        List<String> quick = folder.quickSettings();
        String reason = null;
        for (WebUiSettings.Row row : settings.rows()) {
            if (!row.acts() && !row.changed() && !all && !quick.contains(row.name())) {
                continue;
            }
            if (!row.acts() && !row.reason().equals(reason)) {
                reason = row.reason();
                context.out().println("\nnot here: " + reason);
            }
            context.out().println("  " + row.name() + "  " + Quantities.printable(row.value(), SHOWN)
                    + (row.changed() ? " (default " + Quantities.printable(row.usual(), SHOWN) + ")" : "")
                    + (row.fits() ? "" : ", which is of another kind: the default counts")
                    + (quick.contains(row.name()) ? ", a quick setting" : ""));
        }
        long idle = settings.rows().stream().filter(row -> !row.acts()).count();
        context.out().println("\n" + Quantities.count(settings.rows().size() - idle, "option") + " act, " + idle + " are not here"
                + (all ? "" : " (--all lists them)") + ", " + settings.unknown().size() + " in the file are unknown: of extensions or other versions");
    }

    private static void write(JsonGenerator out, WebUiFolder folder, WebUiSettings settings) throws IOException {
        out.writeStartObject();
        out.writeStringField("file", folder.settings().file().toString());
        out.writeBooleanField("exists", folder.settings().exists());
        writeNames(out, "quicksettings", folder.quickSettings());
        out.writeArrayFieldStart("settings");
        for (WebUiSettings.Row row : settings.rows()) {
            out.writeStartObject();
            out.writeStringField("name", row.name());
            out.writeFieldName("value");
            out.writeRawValue(row.value());
            out.writeFieldName("default");
            out.writeRawValue(row.usual());
            out.writeBooleanField("acts", row.acts());
            out.writeStringField("reason", row.reason());
            out.writeEndObject();
        }
        out.writeEndArray();
        writeNames(out, "unknown", settings.unknown());
        out.writeEndObject();
    }

    private static void writeNames(JsonGenerator out, String name, List<String> values) throws IOException {
        out.writeArrayFieldStart(name);
        for (String value : values) {
            out.writeString(value);
        }
        out.writeEndArray();
    }
}
