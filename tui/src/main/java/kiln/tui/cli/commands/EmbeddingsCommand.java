package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import kiln.runtime.engine.AddOnCatalog;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.Places;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln embeddings}: textual inversions, and which of them the model takes. */
@CommandLine.Command(name = "embeddings", description = "List the textual inversions that prompts can name: vectors, hash, what fits.")
final class EmbeddingsCommand extends CliCommand {
    private static final int NAME_LENGTH = 120;

    @Option(names = "--hash", description = "Tell the hashes, too.")
    boolean hash;

    @Option(names = "--json", description = "{\"embeddings\": [{\"name\", \"path\", \"vectors\", \"widths\": [], \"hash\", \"misfit\"}]}")
    boolean json;

    EmbeddingsCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        Places places = global.places(context);
        List<AddOnCatalog.Embedding> embeddings =
                new AddOnCatalog(places.addOns()).embeddings(global.models(places).defaultModel(), hash);
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeArrayFieldStart("embeddings");
                for (AddOnCatalog.Embedding embedding : embeddings) {
                    write(out, embedding);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
            return 0;
        }
        for (AddOnCatalog.Embedding embedding : embeddings) {
            String name = Quantities.printable(embedding.name(), NAME_LENGTH);
            context.out().println(embedding.misfit() == null
                    ? name + "  " + Quantities.count(embedding.vectors(), "vector") + (embedding.hash() == null ? "" : ", hash " + embedding.hash())
                    : name + "\n  " + embedding.misfit());
        }
        if (embeddings.isEmpty()) {
            context.out().println("no textual inversions found");
            context.out().println("Put .safetensors, .pt or .bin files into " + places.addOns().embeddings().get(0)
                    + ", or name another folder with --embeddings-dir.");
        }
        return 0;
    }

    private static void write(JsonGenerator out, AddOnCatalog.Embedding embedding) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", embedding.name());
        out.writeStringField("path", embedding.path().toString());
        out.writeNumberField("vectors", embedding.vectors());
        out.writeArrayFieldStart("widths");
        for (int width : embedding.widths()) {
            out.writeNumber(width);
        }
        out.writeEndArray();
        out.writeStringField("hash", embedding.hash());
        out.writeStringField("misfit", embedding.misfit());
        out.writeEndObject();
    }
}
