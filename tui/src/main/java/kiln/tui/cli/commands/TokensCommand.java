package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.TokenChunk;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kiln tokens}: how the text encoder sees a prompt. */
@CommandLine.Command(
        name = "tokens",
        description = "Show a prompt as the text encoder sees it: pieces, ids and weights by chunk of 75 tokens.")
final class TokensCommand extends CliCommand {
    @Parameters(paramLabel = "TEXT", arity = "0..1", description = "The prompt; without it or with - it is read from the standard input.")
    String text;

    @Option(names = "--lines", description = "Read a prompt a line from the standard input and write a JSON object a line.")
    boolean lines;

    @Option(names = "--json", description = "{\"count\", \"chunks\": [{\"ids\": [77 numbers], \"weights\": [77 numbers]}]}")
    boolean json;

    TokensCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        ClipTokenizer tokenizer = ClipTokenizer.load();
        try {
            if (lines) {
                return everyLine(tokenizer);
            }
            String prompt = text == null || text.equals("-")
                    ? new String(context.in().readAllBytes(), StandardCharsets.UTF_8)
                    : text;
            show(tokenizer, PromptChunks.parse(tokenizer, prompt, PromptOptions.DEFAULT));
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A line that cannot be parsed gives an object with its error, so that lines in and lines out stay side by side. */
    private int everyLine(ClipTokenizer tokenizer) throws IOException {
        if (text != null) {
            throw KilnException.badRequest("--lines reads the standard input: leave out the text");
        }
        int exitCode = 0;
        InputStream in = new BufferedInputStream(context.in());
        for (String line = line(in); line != null && !context.out().checkError(); line = line(in)) {
            try {
                PromptChunks chunks = PromptChunks.parse(tokenizer, line, PromptOptions.DEFAULT);
                Json.print(context.out(), out -> write(out, chunks));
            } catch (KilnException e) {
                exitCode = e.category().exitCode();
                Json.print(context.out(), out -> {
                    out.writeStartObject();
                    out.writeStringField("error", e.getMessage());
                    out.writeEndObject();
                });
            }
        }
        return exitCode;
    }

    /** Up to the next line feed alone: a prompt may hold other characters that readers of lines would split at. */
    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        if (next < 0) {
            return null;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
            line.write(next);
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private void show(ClipTokenizer tokenizer, PromptChunks chunks) {
        if (json) {
            Json.print(context.out(), out -> write(out, chunks));
            return;
        }
        context.out().println(Quantities.count(chunks.used(), "token") + " of " + chunks.allowed());
        for (int i = 0; i < chunks.chunks().size(); i++) {
            TokenChunk chunk = chunks.chunks().get(i);
            context.out().println("chunk " + (i + 1) + "\n     id  weight  piece");
            int last = TokenChunk.LENGTH - 1;
            while (last > 1 && chunk.ids()[last - 1] == ClipTokenizer.END) {
                last--;
            }
            for (int at = 1; at < last; at++) {
                int id = chunk.ids()[at];
                context.out().println(String.format(Locale.ROOT, "  %5d  %6.3f  %s", id, chunk.weights()[at], tokenizer.text(id)));
            }
        }
    }

    private static void write(JsonGenerator out, PromptChunks chunks) throws IOException {
        out.writeStartObject();
        out.writeNumberField("count", chunks.used());
        out.writeArrayFieldStart("chunks");
        for (TokenChunk chunk : chunks.chunks()) {
            out.writeStartObject();
            out.writeFieldName("ids");
            out.writeArray(chunk.ids(), 0, chunk.ids().length);
            out.writeArrayFieldStart("weights");
            for (float weight : chunk.weights()) {
                out.writeNumber(weight);
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
