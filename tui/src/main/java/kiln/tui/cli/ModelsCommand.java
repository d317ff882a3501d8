package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kiln.weights.CheckpointKind;
import kiln.weights.ModelCatalog;
import kiln.weights.ModelCatalog.Model;
import kiln.weights.ModelHashes;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln models}: the checkpoints that can be chosen. */
@CommandLine.Command(name = "models", description = "List the models that were found: kind, size, hashes.")
final class ModelsCommand extends Command {
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

    /** What is shown of a model; hashes are {@code null} when not known, {@code error} when the file can be read. */
    private record Row(Model model, String kind, boolean usable, String sha256, String legacyHash, boolean demo, String error) {}

    @Override
    int run() {
        Places places = global.places(context);
        ModelHashes hashes = new ModelHashes(places.cache());
        ModelCatalog catalog = ModelCatalog.scan(places.modelSources(global.checkpoints(places)), hashes);
        List<Row> rows = new ArrayList<>();
        for (Model model : catalog.models()) {
            rows.add(row(model, hashes, model.path().equals(places.demoModel())));
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

    private Row row(Model model, ModelHashes hashes, boolean demo) {
        try (WeightsFile weights = WeightsFile.open(model.path())) {
            CheckpointKind kind = CheckpointKind.of(weights);
            Optional<String> sha256 =
                    hash ? Optional.of(hashes.sha256(model.path())) : hashes.cachedSha256(model.path());
            return new Row(
                    model, kind.displayName(), kind.isModel(), sha256.orElse(null), ModelHashes.legacyHash(model.path()), demo, null);
        } catch (WeightsException e) {
            return new Row(model, "unreadable", false, null, null, demo, e.getMessage());
        }
    }

    private static void write(JsonGenerator out, Row row) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", row.model.name());
        out.writeStringField("path", row.model.path().toString());
        out.writeStringField("kind", row.kind);
        out.writeBooleanField("usable", row.usable);
        out.writeNumberField("bytes", row.model.bytes());
        out.writeStringField("sha256", row.sha256);
        out.writeStringField("hash", row.sha256 == null ? null : ModelHashes.shortHash(row.sha256));
        out.writeStringField("legacyHash", row.legacyHash);
        out.writeBooleanField("demo", row.demo);
        out.writeStringField("error", row.error);
        out.writeEndObject();
    }

    private void print(List<Row> rows, Places places) {
        int widest = rows.stream().mapToInt(row -> row.model.name().length()).max().orElse(0);
        for (Row row : rows) {
            String name = row.model.name();
            if (row.error != null) {
                context.out().println(name + "\n  " + row.error);
                continue;
            }
            context.out().println(name + " ".repeat(widest - name.length()) + "  " + row.kind + ", "
                    + Quantities.bytes(row.model.bytes()) + ", hash "
                    + (row.sha256 == null ? "not computed" : ModelHashes.shortHash(row.sha256)) + ", old hash " + row.legacyHash
                    + (row.demo ? ", the demo" : ""));
        }
        if (rows.isEmpty()) {
            context.out().println("no models found");
        }
        if (rows.stream().allMatch(Row::demo)) {
            Path folder = places.checkpointFolders().get(0);
            context.out().println("Put .safetensors or .ckpt files into " + folder + ", or name a folder with --ckpt-dir.");
        }
    }
}
