package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.ExtraNetwork;
import kiln.runtime.text.Prompt;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.PromptSchedule;
import kiln.runtime.text.ScheduleSteps;
import kiln.runtime.text.TokenChunk;
import kiln.tui.cli.base.Quantities;

/**
 * What {@code kiln tokens} tells of a prompt.
 *
 * @param steps how many calls a schedule is for; {@code null} for the text as it stands
 * @param negative whether it is read as a negative prompt
 */
public record TokensReport(ClipTokenizer tokenizer, Integer steps, boolean negative) {
    private static final PromptOptions OPTIONS = PromptOptions.DEFAULT;

    /** For people. */
    public void show(PrintStream out, String text) {
        if (steps == null) {
            PromptChunks chunks = PromptChunks.parse(tokenizer, text, OPTIONS);
            out.println(Quantities.count(chunks.used(), "token") + " of " + chunks.allowed());
            show(out, chunks.chunks());
            return;
        }
        Prompt prompt = prompt(text);
        out.println("counter " + prompt.count(tokenizer, OPTIONS));
        prompt.networks().forEach(network -> out.println("network " + network));
        for (int i = 0; i < prompt.parts().size(); i++) {
            Prompt.Part part = prompt.parts().get(i);
            out.println("prompt " + (i + 1) + " of " + prompt.parts().size() + ", weight " + part.weight());
            show(out, part.schedule());
        }
    }

    /** A text that comes again is shown without its tokens. */
    private void show(PrintStream out, PromptSchedule schedule) {
        Set<String> shown = new HashSet<>();
        List<PromptChunks> chunks = PromptChunks.ofSchedule(tokenizer, schedule, OPTIONS);
        for (int i = 0; i < schedule.entries().size(); i++) {
            PromptSchedule.Entry entry = schedule.entries().get(i);
            out.println("until call " + entry.until() + ": " + entry.text());
            if (shown.add(entry.text())) {
                show(out, chunks.get(i).chunks());
            }
        }
    }

    private void show(PrintStream out, List<TokenChunk> chunks) {
        for (int i = 0; i < chunks.size(); i++) {
            TokenChunk chunk = chunks.get(i);
            out.println("chunk " + (i + 1) + "\n     id  weight  piece");
            int last = TokenChunk.LENGTH - 1;
            while (last > 1 && chunk.ids()[last - 1] == ClipTokenizer.END) {
                last--;
            }
            for (int at = 1; at < last; at++) {
                int id = chunk.ids()[at];
                out.println(String.format(Locale.ROOT, "  %5d  %6.3f  %s", id, chunk.weights()[at], tokenizer.text(id)));
            }
        }
    }

    /** For programs: one object. */
    public void write(JsonGenerator out, String text) throws IOException {
        PromptChunks whole = PromptChunks.parse(tokenizer, text, OPTIONS);
        out.writeStartObject();
        out.writeNumberField("count", whole.used());
        writeChunks(out, whole);
        if (steps != null) {
            Prompt prompt = prompt(text);
            out.writeStringField("counter", prompt.count(tokenizer, OPTIONS).toString());
            out.writeArrayFieldStart("networks");
            for (ExtraNetwork network : prompt.networks()) {
                write(out, network);
            }
            out.writeEndArray();
            out.writeArrayFieldStart("prompts");
            for (Prompt.Part part : prompt.parts()) {
                write(out, part);
            }
            out.writeEndArray();
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, ExtraNetwork network) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", network.name());
        writeTexts(out, "items", network.items());
        writeTexts(out, "positional", network.positional());
        out.writeObjectFieldStart("named");
        for (Map.Entry<String, String> named : network.named().entrySet()) {
            out.writeStringField(named.getKey(), named.getValue());
        }
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void writeTexts(JsonGenerator out, String field, List<String> texts) throws IOException {
        out.writeArrayFieldStart(field);
        for (String text : texts) {
            out.writeString(text);
        }
        out.writeEndArray();
    }

    private void write(JsonGenerator out, Prompt.Part part) throws IOException {
        out.writeStartObject();
        out.writeNumberField("weight", part.weight());
        out.writeArrayFieldStart("schedule");
        List<PromptChunks> chunks = PromptChunks.ofSchedule(tokenizer, part.schedule(), OPTIONS);
        for (int i = 0; i < chunks.size(); i++) {
            PromptSchedule.Entry entry = part.schedule().entries().get(i);
            out.writeStartObject();
            out.writeNumberField("until", entry.until());
            out.writeStringField("text", entry.text());
            writeChunks(out, chunks.get(i));
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void writeChunks(JsonGenerator out, PromptChunks chunks) throws IOException {
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
    }

    private Prompt prompt(String text) {
        ScheduleSteps calls = ScheduleSteps.first(steps);
        return negative ? Prompt.negative(text, calls, OPTIONS) : Prompt.positive(text, calls, OPTIONS);
    }
}
