package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import kiln.runtime.check.CardPlan;
import kiln.runtime.check.CardPlans;
import kiln.runtime.job.GenerationRequest;

/** A plan for a card, for people and for programs. */
public record CardPlanReport(Path model, GenerationRequest request, CardPlans plans) {
    private static final String LINE = "%-14s %s%n";

    private String weightFormat() {
        return plans.weights().name().toLowerCase(Locale.ROOT);
    }

    public void print(PrintStream out, boolean everyWeight) {
        CardPlan asked = plans.asked();
        CardPlan.Memory memory = asked.memory();
        if (everyWeight) {
            asked.networks().forEach(network -> printWeights(out, network));
        }
        out.printf(
                "%s, %dx%d, a batch of %d, weights in %s%n", model.getFileName(), asked.width(), asked.height(), request.batchSize(), weightFormat());
        out.printf(LINE, "may use", budget());
        out.printf(LINE, memory.fits() ? "fits" : "does not fit", memory.fits() ? residency(memory) : memory.shortage());
        out.printf(
                LINE,
                "peak",
                mebibytes(memory.peakBytes()) + " in the " + memory.peakNetwork() + ": context and kernels " + mebibytes(memory.contextBytes())
                        + " (assumed), weights " + mebibytes(memory.weightBytes()) + ", results " + mebibytes(memory.resultBytes()));
        out.println();
        out.printf("%-14s %12s %12s %16s %12s %12s%n", "", "weights", "stay", "copied a step", "slots", "results");
        for (CardPlan.Network network : asked.networks()) {
            out.printf(
                    "%-14s %12s %12s %16s %12s %12s%s%n",
                    network.name(),
                    mebibytes(network.weightBytes()),
                    mebibytes(network.residentBytes()),
                    network.streams() ? mebibytes(network.streamedBytes()) : "-",
                    network.streams() ? CardPlan.SLOTS + "x" + mebibytes(network.slotBytes()) : "-",
                    mebibytes(network.resultBytes()),
                    network.inBands() ? " in bands" : "");
        }
        for (CardPlan.Network network : asked.networks()) {
            if (network.streams()) {
                out.printf(LINE, "copied", network.units().size() + " pieces a step, of " + network.streamedBlocks());
            }
        }
        out.println();
        out.printf(
                LINE,
                "step",
                seconds(asked.times().step()) + ": " + seconds(asked.times().computing()) + " of computing, "
                        + seconds(asked.times().copying()) + " of copying meanwhile");
        out.printf(
                LINE,
                "batch",
                seconds(asked.times().batch()) + " with " + asked.calls() + " steps"
                        + (memory.turnBytesPerBatch() > 0 ? ", " + mebibytes(memory.turnBytesPerBatch()) + " copied as networks take turns" : ""));
        out.printf(
                Locale.ROOT,
                LINE,
                "assumed",
                String.format(
                        Locale.ROOT,
                        "%.4g TFLOP/s reached (--flop-rate), %.4g GB/s over the bus (--bus-rate)",
                        plans.rates().flopsPerSecond() / 1e12,
                        plans.rates().busBytesPerSecond() / 1e9));
        out.println();
        for (CardPlan other : plans.others()) {
            out.printf(LINE, other.width() + "x" + other.height(), outcome(other));
        }
    }

    private String budget() {
        CardPlans.Budget budget = plans.budget();
        if (!budget.isLimit()) {
            return "as much as it takes (--vram-budget SIZE sets a limit)";
        }
        return mebibytes(plans.asked().memory().budgetBytes()) + ": " + mebibytes(budget.bytes())
                + (plans.card() != null ? " free on " + plans.card().label() : budget.assumed() ? " as a 2 GB card has" : "")
                + (budget.headroomBytes() > 0 ? ", " + mebibytes(budget.headroomBytes()) + " of them for other programs" : "")
                + ", " + mebibytes(budget.marginBytes()) + " left for the driver's rounding";
    }

    private static String residency(CardPlan.Memory memory) {
        String word = memory.residency();
        if (word.equals("resident")) {
            return word + ": all weights stay on the card";
        }
        return word + ": the networks take turns"
                + (memory.streamedBytesPerStep() > 0 ? ", some of the denoiser's weights are copied at every step" : "");
    }

    private static String outcome(CardPlan other) {
        CardPlan.Memory memory = other.memory();
        return memory.fits()
                ? "fits as " + memory.residency() + ", peak " + mebibytes(memory.peakBytes()) + ", copied a step "
                        + mebibytes(memory.streamedBytesPerStep()) + ", step " + seconds(other.times().step()) + inBands(other)
                : "does not fit: " + memory.shortage();
    }

    private static String inBands(CardPlan plan) {
        return plan.networks().stream()
                .filter(CardPlan.Network::inBands)
                .map(network -> ", " + network.name() + " in bands")
                .collect(Collectors.joining());
    }

    private static void printWeights(PrintStream out, CardPlan.Network network) {
        for (CardPlan.Weight weight : network.weights()) {
            String place = weight.stays() ? "stays" : "piece " + weight.unit() + ", slot " + weight.slot();
            out.printf(Locale.ROOT, "%-16s %12d B  %s%n", place, weight.bytes(), weight.name());
        }
        out.println();
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    private static String seconds(double seconds) {
        return seconds < 1 ? String.format(Locale.ROOT, "%.1f ms", seconds * 1000) : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    public void writeTo(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("model", model.toString());
        out.writeStringField("card", plans.card() == null ? null : plans.card().name());
        out.writeStringField("weights", weightFormat());
        out.writeNumberField("batchSize", request.batchSize());
        write(out, plans.asked());
        writeNetworks(out, plans.asked());
        out.writeObjectFieldStart("assumed");
        out.writeNumberField("contextBytes", plans.asked().memory().contextBytes());
        out.writeNumberField("flopsPerSecond", plans.rates().flopsPerSecond());
        out.writeNumberField("busBytesPerSecond", plans.rates().busBytesPerSecond());
        out.writeEndObject();
        out.writeArrayFieldStart("otherSizes");
        for (CardPlan other : plans.others()) {
            out.writeStartObject();
            write(out, other);
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private void write(JsonGenerator out, CardPlan each) throws IOException {
        CardPlan.Memory memory = each.memory();
        out.writeNumberField("width", each.width());
        out.writeNumberField("height", each.height());
        out.writeBooleanField("fits", memory.fits());
        out.writeStringField("residency", memory.residency());
        out.writeStringField("shortage", memory.shortage());
        if (plans.budget().isLimit()) {
            out.writeNumberField("budgetBytes", memory.budgetBytes());
        } else {
            out.writeNullField("budgetBytes");
        }
        out.writeNumberField("peakBytes", memory.peakBytes());
        out.writeStringField("peakNetwork", memory.peakNetwork());
        out.writeNumberField("contextBytes", memory.contextBytes());
        out.writeNumberField("weightsBytes", memory.weightBytes());
        out.writeNumberField("activationBytes", memory.resultBytes());
        out.writeNumberField("streamedBytesPerStep", memory.streamedBytesPerStep());
        out.writeNumberField("turnBytesPerBatch", memory.turnBytesPerBatch());
        out.writeNumberField("secondsPerStep", each.times().step());
        out.writeNumberField("computeSecondsPerStep", each.times().computing());
        out.writeNumberField("secondsPerBatch", each.times().batch());
        out.writeNumberField("flopsPerPicture", each.flopsPerPicture());
    }

    private static void writeNetworks(JsonGenerator out, CardPlan plan) throws IOException {
        out.writeArrayFieldStart("networks");
        for (CardPlan.Network network : plan.networks()) {
            out.writeStartObject();
            out.writeStringField("network", network.name());
            out.writeNumberField("flops", network.flops());
            out.writeNumberField("weightsBytes", network.weightBytes());
            out.writeNumberField("residentBytes", network.residentBytes());
            out.writeNumberField("slotBytes", network.slotBytes());
            out.writeNumberField("streamedBytes", network.streamedBytes());
            out.writeNumberField("activationBytes", network.resultBytes());
            out.writeBooleanField("reducedActivation", network.inBands());
            out.writeArrayFieldStart("streamed");
            for (CardPlan.Unit unit : network.units()) {
                out.writeStartObject();
                out.writeNumberField("bytes", unit.bytes());
                out.writeArrayFieldStart("weights");
                for (String weight : unit.weights()) {
                    out.writeString(weight);
                }
                out.writeEndArray();
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
