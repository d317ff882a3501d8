package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import kiln.runtime.Bench;
import kiln.runtime.DeviceUse;
import kiln.runtime.Engine;
import kiln.runtime.EngineOptions;
import kiln.runtime.GenerationRequest;
import kiln.runtime.KilnException;
import kiln.runtime.exec.cuda.ProductTimes;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln bench}: how fast this machine is. */
@CommandLine.Command(name = "bench", description = "Time one CFG step (batch 2), the decode and the text encoder.")
final class BenchCommand extends Command {
    private static final int MOST_RUNS = 10_000;

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(names = {"-W", "--width"}, paramLabel = "PIXELS", description = "Default: what the model is made for, else 512.")
    Integer width;

    @Option(names = {"-H", "--height"}, paramLabel = "PIXELS", description = "Default: what the model is made for, else 512.")
    Integer height;

    @Option(names = "--runs", paramLabel = "N", description = "Timed runs of each, after one that is not counted. Default: 3.")
    int runs = 3;

    @Option(
            names = "--json",
            description = "{\"unetStep\": {\"median\", \"min\"}, \"vaeDecode\", \"textEncode\", \"dtype\", \"products\", \"peakResidentBytes\","
                    + " \"deviceUse\": {\"name\", \"residency\", \"usedBytes\", \"peakBytes\", \"freeBytes\", \"totalBytes\"}, \"notices\"}; seconds")
    boolean json;

    BenchCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        if (runs < 1 || runs > MOST_RUNS) {
            throw KilnException.badRequest("--runs " + runs + " is outside 1 to " + MOST_RUNS);
        }
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, device);
        Path model;
        try (Engine engine = new Engine(options)) {
            model = engine.defaultModel();
        }
        GenerationRequest.Builder size = Engine.defaultsOf(model).builder();
        if (width != null) {
            size.width(width);
        }
        if (height != null) {
            size.height(height);
        }
        GenerationRequest request = size.build();
        Set<String> notices = new LinkedHashSet<>();
        Bench.Result result = Bench.run(
                options,
                model,
                request.width(),
                request.height(),
                runs,
                what -> {
                    if (context.errIsTty()) {
                        context.err().println("timing the " + what + "…");
                    }
                },
                notice -> {
                    if (notices.add(notice)) {
                        context.err().println("kiln: " + notice);
                    }
                });
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                write(out, "unetStep", result.unetStep());
                write(out, "vaeDecode", result.vaeDecode());
                write(out, "textEncode", result.textEncode());
                out.writeStringField("dtype", result.dtype());
                out.writeStringField("device", result.device());
                out.writeNumberField("peakResidentBytes", result.peakResidentBytes());
                out.writeFieldName("deviceUse");
                DeviceJson.write(out, result.device(), result.deviceUse());
                writeProducts(out, result.products());
                out.writeArrayFieldStart("notices");
                for (String notice : notices) {
                    out.writeString(notice);
                }
                out.writeEndArray();
                out.writeStringField("model", model.toString());
                out.writeNumberField("width", request.width());
                out.writeNumberField("height", request.height());
                out.writeNumberField("runs", runs);
                out.writeEndObject();
            });
        } else {
            context.out().println(model.getFileName() + ", " + request.width() + "x" + request.height() + ", " + result.device());
            print("CFG step (batch 2)", result.unetStep());
            print("decode", result.vaeDecode());
            print("text encoder", result.textEncode());
            ProductTimes products = result.products();
            if (products != null) {
                context.out().println("cuBLAS was faster for " + products.cublasWins(null) + " of " + products.cublasProducts()
                        + " matrix products, cuDNN for " + products.cudnnWins(null) + " of " + products.cudnnProducts()
                        + " convolutions: they are used for those from now on");
            }
            DeviceUse use = result.deviceUse();
            if (use != null) {
                context.out().println(String.format(Locale.ROOT, "VRAM: %s, %s", use.memoryText(), use.residency()));
            }
            context.out().println("peak resident memory: "
                    + (result.peakResidentBytes() < 0 ? "unknown" : Quantities.bytes(result.peakResidentBytes())));
        }
        return 0;
    }

    private static void writeProducts(JsonGenerator out, ProductTimes products) throws IOException {
        if (products == null) {
            out.writeNullField("products");
            return;
        }
        out.writeObjectFieldStart("products");
        for (Map.Entry<String, ProductTimes.Times> product : new TreeMap<>(products.products()).entrySet()) {
            out.writeObjectFieldStart(product.getKey());
            out.writeNumberField("ownMicroseconds", product.getValue().own());
            out.writeNumberField("libraryMicroseconds", product.getValue().library());
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, String name, Bench.Timing timing) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("median", timing.median());
        out.writeNumberField("min", timing.min());
        out.writeEndObject();
    }

    private void print(String name, Bench.Timing timing) {
        context.out().println(String.format(Locale.ROOT, "%-20s %8.3f s median  %8.3f s least", name, timing.median(), timing.min()));
    }
}
