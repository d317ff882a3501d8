package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import kiln.runtime.text.Style;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln styles}: the styles that {@code --style} can name. */
@CommandLine.Command(name = "styles", description = "List the styles of styles.csv.")
final class StylesCommand extends CliCommand {
    private static final int SHOWN = 100;

    @Option(names = "--json", description = "{\"styles\": [{\"name\", \"prompt\", \"negativePrompt\"}]}")
    boolean json;

    StylesCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        List<Style> styles = global.styles(global.places(context)).all();
        if (json) {
            Json.print(context.out(), out -> write(out, styles));
            return 0;
        }
        for (Style style : styles) {
            context.out().println(Quantities.printable(style.name(), SHOWN));
            print("  ", style.prompt());
            print("  negative: ", style.negativePrompt());
        }
        if (styles.isEmpty()) {
            context.err().println("kiln: there are no styles: put styles.csv into the data folder or name one with --styles-file");
        }
        return 0;
    }

    private void print(String before, String text) {
        if (!text.isEmpty()) {
            context.out().println(before + Quantities.printable(text, SHOWN));
        }
    }

    private static void write(JsonGenerator out, List<Style> styles) throws IOException {
        out.writeStartObject();
        out.writeArrayFieldStart("styles");
        for (Style style : styles) {
            out.writeStartObject();
            out.writeStringField("name", style.name());
            out.writeStringField("prompt", style.prompt());
            out.writeStringField("negativePrompt", style.negativePrompt());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
