package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.engine.Models;
import kiln.runtime.engine.Vaes;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.Places;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln models}: the checkpoints and VAEs that can be chosen. */
@CommandLine.Command(name = "models", description = "List the models and VAEs that were found: kind, size, hashes.")
final class ModelsCommand extends CliCommand {
    @Option(names = "--hash", description = "Compute the SHA-256 of models that have none yet (seconds per gigabyte).")
    boolean hash;

    @Option(
            names = "--json",
            description = "{\"models\": [{\"name\", \"path\", \"kind\", \"usable\", \"bytes\", \"sha256\", \"hash\", \"legacyHash\","
                    + " \"demo\", \"error\"}], \"vaes\": [the same]}")
    boolean json;

    ModelsCommand(CliContext context) {
        super(context);
    }

    /** What is shown of a model or a VAE. */
    private record Row(String name, Path path, long bytes, boolean demo, Models.Description about) {}

    @Override
    public int run() {
        Places places = global.places(context);
        Models models = global.models(places);
        List<Row> rows = new ArrayList<>();
        for (Models.Entry model : models.list()) {
            rows.add(new Row(model.name(), model.path(), model.bytes(), model.demo(), models.describe(model.path(), hash)));
        }
        List<Row> vaes = new ArrayList<>();
        for (Vaes.Entry vae : models.vaes().list()) {
            vaes.add(new Row(vae.name(), vae.path(), vae.bytes(), false, models.describe(vae.path(), hash)));
        }
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                write(out, "models", rows);
                write(out, "vaes", vaes);
                out.writeEndObject();
            });
        } else {
            print(rows, places);
            vaes.forEach(vae -> print(vae, 0));
        }
        return 0;
    }

    private static void write(JsonGenerator out, String name, List<Row> rows) throws IOException {
        out.writeArrayFieldStart(name);
        for (Row row : rows) {
            write(out, row);
        }
        out.writeEndArray();
    }

    private static void write(JsonGenerator out, Row row) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", row.name);
        out.writeStringField("path", row.path.toString());
        out.writeStringField("kind", row.about.kind());
        out.writeBooleanField("usable", row.about.usable());
        out.writeNumberField("bytes", row.bytes);
        out.writeStringField("sha256", row.about.sha256());
        out.writeStringField("hash", row.about.shortHash());
        out.writeStringField("legacyHash", row.about.legacyHash());
        out.writeBooleanField("demo", row.demo);
        out.writeStringField("error", row.about.error());
        out.writeEndObject();
    }

    private void print(List<Row> rows, Places places) {
        int widest = rows.stream().mapToInt(row -> row.name.length()).max().orElse(0);
        rows.forEach(row -> print(row, widest));
        if (rows.isEmpty()) {
            context.out().println("no models found");
        }
        if (rows.stream().allMatch(row -> row.demo)) {
            Path folder = places.checkpointFolders().get(0);
            context.out().println("Put .safetensors or .ckpt files into " + folder + ", or name a folder with --ckpt-dir.");
        }
    }

    private void print(Row row, int widest) {
        String name = Quantities.printable(row.name, Integer.MAX_VALUE);
        if (row.about.error() != null) {
            context.out().println(name + "\n  " + row.about.error());
            return;
        }
        context.out().println(name + " ".repeat(Math.max(0, widest - name.length())) + "  " + row.about.kind() + ", "
                + Quantities.bytes(row.bytes) + ", hash " + (row.about.sha256() == null ? "not computed" : row.about.shortHash())
                + (row.about.legacyHash() == null ? "" : ", old hash " + row.about.legacyHash()) + (row.demo ? ", the demo" : ""));
    }
}
