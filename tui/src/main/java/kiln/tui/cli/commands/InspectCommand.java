package kiln.tui.cli.commands;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kiln.runtime.check.FileInspection;
import kiln.runtime.check.PictureInspection;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.PictureParameters;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.GlobalOptions;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kiln inspect}: what a file holds. */
@CommandLine.Command(
        name = "inspect",
        description = "Show the tensors and metadata of a weights file, or how a picture was made.")
final class InspectCommand extends CliCommand {
    private static final int SHOWN_METADATA_CHARACTERS = 400;
    private static final int SHOWN_NAME_CHARACTERS = 200;
    private static final int SHOWN_UNREAD_CHARACTERS = 2000;

    @Parameters(paramLabel = "FILE", description = "safetensors, ckpt, pt, pth, bin, png, jpg, webp, gif or bmp; told apart by content.")
    Path file;

    @Option(names = "--hash", description = "Hash each tensor (SHA-256 over its elements in order, little-endian).")
    boolean hash;

    @Option(names = "--json", description = "{\"format\", \"metadata\", \"tensors\": [{\"name\", \"dtype\", \"shape\"}],"
            + " \"unread\": [], \"code\": []}; of a picture also \"width\", \"height\", \"program\", \"infotext\","
            + " \"notUnderstood\", \"parameters\"")
    boolean json;

    InspectCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        Path path = GlobalOptions.readable(file, "file");
        if (PictureInspection.isPicture(path)) {
            showPicture(PictureInspection.of(path));
        } else {
            try (FileInspection weights = FileInspection.open(path)) {
                showWeights(weights);
            }
        }
        return 0;
    }

    private void showPicture(PictureInspection picture) {
        PictureParameters parameters = picture.parameters();
        if (json) {
            writePicture(picture);
            return;
        }
        context.out().println(picture.format() + ", " + picture.width() + "x" + picture.height()
                + (parameters == null ? picture.texts().isEmpty() ? ", without texts: it does not say how it was made" : ""
                        : ", parameters by " + Quantities.printable(parameters.program(), SHOWN_NAME_CHARACTERS)));
        if (parameters == null) {
            printMap(picture.texts());
            return;
        }
        parameters.infoText().lines().forEach(line -> context.out().println(Quantities.printable(line, Integer.MAX_VALUE)));
        parameters.notUnderstood().forEach(what ->
                context.out().println("not understood: " + Quantities.printable(what, SHOWN_METADATA_CHARACTERS)));
    }

    private void writePicture(PictureInspection picture) {
        PictureParameters parameters = picture.parameters();
        Json.print(context.out(), out -> {
            out.writeStartObject();
            out.writeStringField("format", picture.format());
            out.writeNumberField("width", picture.width());
            out.writeNumberField("height", picture.height());
            writeMap(out, "metadata", picture.texts());
            out.writeArrayFieldStart("tensors");
            out.writeEndArray();
            if (parameters != null) {
                out.writeStringField("program", parameters.program());
                out.writeStringField("infotext", parameters.infoText());
                out.writeArrayFieldStart("notUnderstood");
                for (String what : parameters.notUnderstood()) {
                    out.writeString(what);
                }
                out.writeEndArray();
                InfoText info = InfoText.parse(parameters.infoText());
                out.writeObjectFieldStart("parameters");
                out.writeStringField("prompt", info.prompt());
                out.writeStringField("negativePrompt", info.negativePrompt());
                for (Map.Entry<String, String> parameter : info.parameters().entrySet()) {
                    out.writeStringField(parameter.getKey(), parameter.getValue());
                }
                out.writeEndObject();
            }
            out.writeEndObject();
        });
    }

    private void printMap(Map<String, String> map) {
        map.forEach((name, text) -> context.out().println(
                "  " + Quantities.printable(name, SHOWN_NAME_CHARACTERS) + ": " + Quantities.printable(text, SHOWN_METADATA_CHARACTERS)));
    }

    private void showWeights(FileInspection weights) {
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("format", weights.format());
                out.writeStringField("kind", weights.kind());
                writeMap(out, "metadata", weights.metadata());
                out.writeArrayFieldStart("tensors");
                for (FileInspection.Tensor tensor : weights.tensors()) {
                    out.writeStartObject();
                    out.writeStringField("name", tensor.name());
                    out.writeStringField("dtype", tensor.dtype());
                    out.writeArrayFieldStart("shape");
                    for (long size : tensor.shape()) {
                        out.writeNumber(size);
                    }
                    out.writeEndArray();
                    if (hash) {
                        out.writeStringField("sha256", weights.sha256(tensor));
                    }
                    out.writeEndObject();
                }
                out.writeEndArray();
                writeList(out, "unread", weights.unread());
                writeList(out, "code", weights.code());
                out.writeEndObject();
            });
            return;
        }
        print(weights);
    }

    private void print(FileInspection weights) {
        Map<String, Long> elements = new TreeMap<>();
        int widest = 0;
        for (FileInspection.Tensor tensor : weights.tensors()) {
            elements.merge(tensor.dtype(), tensor.elements(), Long::sum);
            widest = Math.max(widest, Math.min(SHOWN_NAME_CHARACTERS, tensor.name().length()));
        }
        context.out().println(weights.format() + ", " + weights.kind());
        printMap(weights.metadata());
        StringBuilder total = new StringBuilder(Quantities.count(weights.tensors().size(), "tensor"));
        elements.forEach((dtype, number) -> total.append(", ").append(Quantities.count(number, "element")).append(" of ").append(dtype));
        context.out().println(total);
        printUnread(weights);
        for (FileInspection.Tensor tensor : weights.tensors()) {
            String name = Quantities.printable(tensor.name(), SHOWN_NAME_CHARACTERS);
            context.out().println("  " + name + " ".repeat(Math.max(0, widest - name.length())) + "  "
                    + tensor.dtype() + "  " + tensor.shape() + (hash ? "  " + weights.sha256(tensor) : ""));
            if (context.out().checkError()) {
                return;
            }
        }
    }

    private void printUnread(FileInspection weights) {
        if (!weights.unread().isEmpty()) {
            context.out().println("not read: " + Quantities.printable(String.join(", ", weights.unread()), SHOWN_UNREAD_CHARACTERS));
        }
        if (!weights.code().isEmpty()) {
            context.out().println("names Python code, of which nothing was run: "
                    + Quantities.printable(String.join(", ", weights.code()), SHOWN_UNREAD_CHARACTERS));
        }
    }

    private static void writeList(JsonGenerator out, String name, List<String> list) throws IOException {
        out.writeArrayFieldStart(name);
        for (String text : list) {
            out.writeString(text);
        }
        out.writeEndArray();
    }

    private static void writeMap(JsonGenerator out, String name, Map<String, String> map) throws IOException {
        out.writeObjectFieldStart(name);
        for (Map.Entry<String, String> entry : map.entrySet()) {
            out.writeStringField(entry.getKey(), entry.getValue());
        }
        out.writeEndObject();
    }
}
