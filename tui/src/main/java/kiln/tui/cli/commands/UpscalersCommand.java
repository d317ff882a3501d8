package kiln.tui.cli.commands;

import kiln.runtime.engine.Upscalers;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.options.Places;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln upscalers}: the upscalers that can be chosen. */
@CommandLine.Command(name = "upscalers", description = "List the upscalers that were found: kind, scale, file.")
final class UpscalersCommand extends CliCommand {
    @Option(
            names = "--json",
            description = "{\"upscalers\": [{\"name\", \"path\", \"kind\", \"scale\", \"error\"}]}; path is null for those built in")
    boolean json;

    UpscalersCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        Places places = global.places(context);
        Upscalers upscalers = places.upscalers();
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeArrayFieldStart("upscalers");
                for (Upscalers.Entry entry : upscalers.list()) {
                    Upscalers.Description about = Upscalers.describe(entry);
                    out.writeStartObject();
                    out.writeStringField("name", entry.name());
                    out.writeStringField("path", entry.file() == null ? null : entry.file().toString());
                    out.writeStringField("kind", about.kind());
                    out.writeNumberField("scale", about.scale());
                    out.writeStringField("error", about.error());
                    out.writeEndObject();
                }
                out.writeEndArray();
                out.writeEndObject();
            });
            return 0;
        }
        for (Upscalers.Entry entry : upscalers.list()) {
            Upscalers.Description about = Upscalers.describe(entry);
            String scale = about.scale() == 0 ? "" : ", " + about.scale() + "x";
            context.out().println(entry.name() + "  " + (about.error() == null ? about.kind() + scale : about.error())
                    + (entry.file() == null || about.error() != null ? "" : ", " + entry.file()));
        }
        if (upscalers.list().stream().allMatch(entry -> entry.file() == null)) {
            context.out().println("Put .pth, .pt or .safetensors files into " + places.upscalerFolders().get(0)
                    + ", or name a folder with --esrgan-models-path.");
        }
        return 0;
    }
}
