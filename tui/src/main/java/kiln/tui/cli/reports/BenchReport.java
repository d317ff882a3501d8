package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.check.Bench;
import kiln.runtime.check.LibraryGain;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.cli.base.Quantities;

/**
 * What {@code kiln bench} says, for people and for programs.
 *
 * @param request of which the size was timed
 * @param comparison with less memory; {@code null} when none was asked for
 */
public record BenchReport(Path model, GenerationRequest request, int runs, Bench.Result result, BudgetComparison comparison) {
    /** @param budget that is compared with, in the person's own words; {@code null} when none is */
    public void print(PrintStream out, String budget) {
        out.println(model.getFileName() + ", " + request.width() + "x" + request.height() + ", " + result.device());
        print(out, result);
        LibraryGain products = result.products();
        if (products != null) {
            out.println("cuBLAS was faster for " + products.cublasWins() + " of " + products.cublasProducts()
                    + " matrix products, cuDNN for " + products.cudnnWins() + " of " + products.cudnnProducts()
                    + " convolutions: they are used for those from now on");
        }
        if (comparison != null) {
            out.println("with --vram-budget " + budget);
            print(out, comparison.limited());
            comparison.lines().forEach(out::println);
        }
        out.println("peak resident memory: "
                + (result.peakResidentBytes() < 0 ? "unknown" : Quantities.bytes(result.peakResidentBytes())));
    }

    private static void print(PrintStream out, Bench.Result result) {
        print(out, "CFG step (batch 2)", result.unetStep(), String.format(Locale.ROOT, "  %.2f it/s", result.stepsPerSecond()));
        print(out, "decode", result.vaeDecode(), "");
        print(out, "text encoder", result.textEncode(), "");
        DeviceUse use = result.deviceUse();
        if (use != null) {
            String streamed = result.streamedBytesPerStep() == 0
                    ? ""
                    : ", " + Quantities.bytes(result.streamedBytesPerStep()) + " to the card at each step";
            out.println("VRAM: " + use.memoryText() + streamed);
        }
    }

    private static void print(PrintStream out, String name, Bench.Timing timing, String more) {
        out.println(String.format(Locale.ROOT, "%-20s %8.4f s median  %8.4f s least%s", name, timing.median(), timing.min(), more));
    }

    /** @param notices that the runs told */
    public void writeTo(JsonGenerator out, Collection<String> notices) throws IOException {
        out.writeStartObject();
        write(out, result);
        out.writeArrayFieldStart("notices");
        for (String notice : notices) {
            out.writeString(notice);
        }
        out.writeEndArray();
        out.writeStringField("model", model.toString());
        out.writeNumberField("width", request.width());
        out.writeNumberField("height", request.height());
        out.writeNumberField("runs", runs);
        if (comparison != null) {
            out.writeObjectFieldStart("compared");
            write(out, comparison.limited());
            comparison.write(out);
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, Bench.Result result) throws IOException {
        write(out, "unetStep", result.unetStep());
        write(out, "vaeDecode", result.vaeDecode());
        write(out, "textEncode", result.textEncode());
        out.writeStringField("dtype", result.dtype());
        out.writeStringField("device", result.device());
        out.writeNumberField("peakResidentBytes", result.peakResidentBytes());
        out.writeNumberField("stepsPerSecond", result.stepsPerSecond());
        out.writeFieldName("deviceUse");
        DeviceJson.write(out, result.device(), result.deviceUse());
        out.writeNumberField("streamedBytesPerStep", result.streamedBytesPerStep());
        writeProducts(out, result.products());
    }

    private static void writeProducts(JsonGenerator out, LibraryGain products) throws IOException {
        if (products == null) {
            out.writeNullField("products");
            return;
        }
        out.writeObjectFieldStart("products");
        for (Map.Entry<String, LibraryGain.Times> product : new TreeMap<>(products.products()).entrySet()) {
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
}
