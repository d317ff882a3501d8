package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.StringJoiner;
import kiln.runtime.engine.AddOnCatalog;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.Places;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln loras}: files of LoRA and its relatives, and which of them the model takes. */
@CommandLine.Command(name = "loras", description = "List the LoRA files that prompts can name: kind, base model, rank, trigger words, what fits.")
final class LorasCommand extends CliCommand {
    private static final int NAME_LENGTH = 120;

    @Option(names = "--hash", description = "Tell the hashes, too, which reads whole files.")
    boolean hash;

    @Option(
            names = "--json",
            description = "{\"loras\": [{\"name\", \"path\", \"alias\", \"kinds\", \"base\", \"rank\", \"bytes\", \"hash\","
                    + " \"words\": [], \"misfit\"}]}")
    boolean json;

    LorasCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        Places places = global.places(context);
        List<AddOnCatalog.Lora> loras = new AddOnCatalog(places.addOns()).loras(global.models(places).defaultModel(), hash);
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeArrayFieldStart("loras");
                for (AddOnCatalog.Lora lora : loras) {
                    write(out, lora);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
            return 0;
        }
        loras.forEach(this::print);
        if (loras.isEmpty()) {
            context.out().println("no LoRA files found");
            context.out().println("Put .safetensors files into " + places.addOns().loras().get(0) + ", or name a folder with --lora-dir.");
        }
        return 0;
    }

    private void print(AddOnCatalog.Lora lora) {
        if (lora.kinds().isEmpty()) {
            context.out().println(Quantities.printable(lora.name(), NAME_LENGTH) + "\n  " + lora.misfit());
            return;
        }
        StringJoiner about = new StringJoiner(", ");
        about.add(lora.kinds());
        if (lora.rank() > 0) {
            about.add("rank " + lora.rank());
        }
        about.add(lora.base().isEmpty() ? "made for an unknown model" : "for " + lora.base());
        about.add(Quantities.bytes(lora.bytes()));
        if (lora.hash() != null) {
            about.add("hash " + lora.hash());
        }
        context.out().println(Quantities.printable(lora.name(), NAME_LENGTH) + "  " + about);
        if (!lora.words().isEmpty()) {
            context.out().println("  words: " + Quantities.printable(String.join(", ", lora.words()), NAME_LENGTH));
        }
        if (lora.misfit() != null) {
            context.out().println("  " + lora.misfit());
        }
    }

    private static void write(JsonGenerator out, AddOnCatalog.Lora lora) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", lora.name());
        out.writeStringField("path", lora.path().toString());
        out.writeStringField("alias", lora.alias());
        out.writeStringField("kinds", lora.kinds());
        out.writeStringField("base", lora.base());
        out.writeNumberField("rank", lora.rank());
        out.writeNumberField("bytes", lora.bytes());
        out.writeStringField("hash", lora.hash());
        out.writeArrayFieldStart("words");
        for (String word : lora.words()) {
            out.writeString(word);
        }
        out.writeEndArray();
        out.writeStringField("misfit", lora.misfit());
        out.writeEndObject();
    }
}
