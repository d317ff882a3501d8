package kiln.tui.cli.reports;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import kiln.runtime.base.KernelTimes;
import kiln.runtime.base.KernelTimes.Row;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;

/** What {@code kiln bench --kernels} says: a table for each network, the launches that take most of its time first. */
public record KernelBenchReport(CliContext context, Path model, int width, int height) {
    public void progress(String what) {
        if (context.errIsTty()) {
            context.err().println("timing " + what + "…");
        }
    }

    public void print(KernelTimes result, boolean json) {
        if (json) {
            json(result);
            return;
        }
        context.out().println(model.getFileName() + ", " + width + "x" + height + ", " + result.card());
        context.out().println(String.format(
                Locale.ROOT,
                "copies: %.1f GB/s to the card, %.0f GB/s on it (read and written)",
                result.busBytesPerSecond() / 1e9,
                result.memoryBytesPerSecond() / 1e9));
        Map<String, List<Row>> groups = new LinkedHashMap<>();
        result.rows().forEach(row -> groups.computeIfAbsent(row.group(), name -> new ArrayList<>()).add(row));
        groups.forEach(this::print);
    }

    private void print(String group, List<Row> rows) {
        double total = rows.stream().mapToDouble(row -> row.count() * row.seconds()).sum();
        context.out().println();
        context.out().println(total == 0
                ? group
                : String.format(
                        Locale.ROOT, "%s: %.3f ms in %d launches", group, total * 1e3, rows.stream().mapToInt(Row::count).sum()));
        context.out().println(" share  times       µs  TFLOP/s     GB/s  kernel");
        rows.stream()
                .sorted(Comparator.comparingDouble(Row::share).reversed())
                .forEach(row -> context.out().println(line(row)));
    }

    private static String line(Row row) {
        String share = row.count() == 0 ? "" : String.format(Locale.ROOT, "%.1f%%", 100 * row.share());
        String count = row.count() == 0 ? "" : Integer.toString(row.count());
        String flops = row.flops() == 0 ? "" : String.format(Locale.ROOT, "%.2f", row.flopsPerSecond() / 1e12);
        return String.format(
                Locale.ROOT,
                "%6s %6s %8.1f %8s %8.1f  %s %s, %s",
                share,
                count,
                row.seconds() * 1e6,
                flops,
                row.bytesPerSecond() / 1e9,
                row.kernel(),
                row.variant(),
                row.text());
    }

    private void json(KernelTimes result) {
        Json.print(context.out(), out -> {
            out.writeStartObject();
            out.writeStringField("card", result.card());
            out.writeStringField("model", model.toString());
            out.writeNumberField("width", width);
            out.writeNumberField("height", height);
            out.writeNumberField("busBytesPerSecond", result.busBytesPerSecond());
            out.writeNumberField("memoryBytesPerSecond", result.memoryBytesPerSecond());
            out.writeArrayFieldStart("kernels");
            for (Row row : result.rows()) {
                out.writeStartObject();
                out.writeStringField("group", row.group());
                out.writeStringField("kernel", row.kernel());
                out.writeStringField("variant", row.variant());
                out.writeStringField("sizes", row.text());
                out.writeNumberField("count", row.count());
                out.writeNumberField("seconds", row.seconds());
                out.writeNumberField("least", row.least());
                out.writeNumberField("flopsPerSecond", row.flopsPerSecond());
                out.writeNumberField("bytesPerSecond", row.bytesPerSecond());
                out.writeNumberField("share", row.share());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        });
    }
}
