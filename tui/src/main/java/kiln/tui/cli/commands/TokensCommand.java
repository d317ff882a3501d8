package kiln.tui.cli.commands;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.text.ClipTokenizer;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.reports.TokensReport;
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

    @Option(names = "--steps", paramLabel = "N", description = "Show what each of N denoiser calls sees: networks, AND, schedules.")
    Integer steps;

    @Option(names = "--negative", description = "With --steps: read it as a negative prompt, which has neither networks nor AND.")
    boolean negative;

    @Option(
            names = "--json",
            description = {
                "{\"count\", \"chunks\": [{\"ids\": [77 numbers], \"weights\": [77 numbers]}]} of the text as it stands;",
                "with --steps also {\"counter\", \"networks\", \"prompts\": [{\"weight\", \"schedule\": [{\"until\", \"text\", \"chunks\"}]}]}"
            })
    boolean json;

    TokensCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        if (steps != null && (steps < 1 || steps > GenerationRequest.MAX_STEPS)) {
            throw KilnException.badRequest("--steps " + steps + ": 1 to " + GenerationRequest.MAX_STEPS);
        }
        if (negative && steps == null) {
            throw KilnException.badRequest("--negative goes with --steps");
        }
        TokensReport report = new TokensReport(ClipTokenizer.load(), steps, negative);
        try {
            if (lines) {
                everyLine(report);
                return 0;
            }
            String prompt = text == null || text.equals("-")
                    ? new String(context.in().readAllBytes(), StandardCharsets.UTF_8)
                    : text;
            if (json) {
                Json.print(context.out(), out -> report.write(out, prompt));
            } else {
                report.show(context.out(), prompt);
            }
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void everyLine(TokensReport report) throws IOException {
        if (text != null) {
            throw KilnException.badRequest("--lines reads the standard input: leave out the text");
        }
        InputStream in = new BufferedInputStream(context.in());
        for (String line = line(in); line != null && !context.out().checkError(); line = line(in)) {
            String prompt = line;
            Json.print(context.out(), out -> report.write(out, prompt));
        }
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
}
