package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.engine.Models;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.Places;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln models}: the checkpoints that can be chosen. */
@CommandLine.Command(name = "models", description = "List the models that were found: kind, size, hashes.")
final class ModelsCommand extends CliCommand {
    @Option(names = "--hash", description = "Compute the SHA-256 of models that have none yet (seconds per gigabyte).")
    boolean hash;

    @Option(
            names = "--json",
            description = "{\"models\": [{\"name\", \"path\", \"kind\", \"usable\", \"bytes\", \"sha256\", \"hash\", \"legacyHash\","
                    + " \"demo\", \"error\"}]}")
    boolean json;

    ModelsCommand(CliContext context) {
        super(context);
    }

    /** What is shown of a model. */
    private record Row(Models.Entry model, Models.Description about) {}

    @Override
    public int run() {
        Places places = global.places(context);
        Models models = global.models(places);
        List<Row> rows = new ArrayList<>();
        for (Models.Entry model : models.list()) {
            rows.add(new Row(model, models.describe(model.path(), hash)));
        }
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeArrayFieldStart("models");
                for (Row row : rows) {
                    write(out, row);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
        } else {
            print(rows, places);
        }
        return 0;
    }

    private static void write(JsonGenerator out, Row row) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", row.model.name());
        out.writeStringField("path", row.model.path().toString());
        out.writeStringField("kind", row.about.kind());
        out.writeBooleanField("usable", row.about.usable());
        out.writeNumberField("bytes", row.model.bytes());
        out.writeStringField("sha256", row.about.sha256());
        out.writeStringField("hash", row.about.shortHash());
        out.writeStringField("legacyHash", row.about.legacyHash());
        out.writeBooleanField("demo", row.model.demo());
        out.writeStringField("error", row.about.error());
        out.writeEndObject();
    }

    private void print(List<Row> rows, Places places) {
        int widest = rows.stream().mapToInt(row -> row.model.name().length()).max().orElse(0);
        for (Row row : rows) {
            String name = row.model.name();
            if (row.about.error() != null) {
                context.out().println(name + "\n  " + row.about.error());
                continue;
            }
            context.out().println(name + " ".repeat(widest - name.length()) + "  " + row.about.kind() + ", "
                    + Quantities.bytes(row.model.bytes()) + ", hash "
                    + (row.about.sha256() == null ? "not computed" : row.about.shortHash()) + ", old hash " + row.about.legacyHash()
                    + (row.model.demo() ? ", the demo" : ""));
        }
        if (rows.isEmpty()) {
            context.out().println("no models found");
        }
        if (rows.stream().allMatch(row -> row.model.demo())) {
            Path folder = places.checkpointFolders().get(0);
            context.out().println("Put .safetensors or .ckpt files into " + folder + ", or name a folder with --ckpt-dir.");
        }
    }
}
