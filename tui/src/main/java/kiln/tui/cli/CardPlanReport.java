package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import kiln.kernels.CudaDevices;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.UNet;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkPlace;
import kiln.runtime.plan.Placement;
import kiln.runtime.plan.Residency;
import kiln.runtime.plan.ResidencyPlan;
import kiln.runtime.plan.StreamUnit;
import kiln.runtime.plan.WeightPlaces;

/**
 * A plan for a card, for people and for programs.
 *
 * @param card whose free memory is the budget; {@code null} when the plan is for one that need not be there
 * @param asked of the size that was asked for
 * @param others of other sizes, for comparison
 */
record CardPlanReport(
        Path model, GenerationRequest request, DeviceOptions device, CudaDevices.Device card, CardPlan asked, List<CardPlan> others) {
    private static final String LINE = "%-14s %s%n";

    String weightFormat() {
        return device.weights().name().toLowerCase(Locale.ROOT);
    }

    void print(PrintStream out, boolean everyWeight) {
        ResidencyPlan plan = asked.plan();
        if (everyWeight) {
            plan.networks().forEach(network -> printWeights(out, network));
        }
        out.printf(
                "%s, %dx%d, a batch of %d, weights in %s%n", model.getFileName(), asked.width(), asked.height(), request.batchSize(), weightFormat());
        out.printf(LINE, "may use", budget());
        out.printf(LINE, plan.fits() ? "fits" : "does not fit", plan.shortage().orElseGet(() -> residency(plan)));
        out.printf(
                LINE,
                "peak",
                mebibytes(plan.peakBytes()) + " in the " + plan.largest().name() + ": context and kernels " + mebibytes(plan.fixedBytes())
                        + " (assumed), weights " + mebibytes(plan.weightsBytes()) + ", results " + mebibytes(plan.activationBytes()));
        out.println();
        out.printf("%-14s %12s %12s %16s %12s %12s%n", "", "weights", "stay", "copied a step", "slots", "results");
        for (NetworkPlace network : plan.networks()) {
            WeightPlaces places = network.weights();
            boolean streams = !places.units().isEmpty();
            out.printf(
                    "%-14s %12s %12s %16s %12s %12s%s%n",
                    network.name(),
                    mebibytes(network.demand().weightBytes()),
                    mebibytes(places.blockBytes()),
                    streams ? mebibytes(places.streamedBytes()) : "-",
                    streams ? WeightPlaces.SLOTS + "x" + mebibytes(places.slotBytes()) : "-",
                    mebibytes(network.arenaBytes()),
                    network.reducedArena() ? " in bands" : "");
        }
        NetworkPlace denoiser = plan.streamedNetwork();
        if (!denoiser.weights().units().isEmpty()) {
            out.printf(LINE, "copied", denoiser.weights().units().size() + " pieces a step, of " + streamedBlocks(denoiser));
        }
        out.println();
        out.printf(
                LINE,
                "step",
                seconds(asked.stepSeconds()) + ": " + seconds(asked.computeSecondsPerStep()) + " of computing, "
                        + seconds(asked.busSecondsPerStep()) + " of copying meanwhile");
        out.printf(
                LINE,
                "batch",
                seconds(asked.batchSeconds()) + " with " + asked.calls() + " steps"
                        + (plan.turnBytes() > 0 ? ", " + mebibytes(plan.turnBytes()) + " copied as networks take turns" : ""));
        out.printf(
                Locale.ROOT,
                LINE,
                "assumed",
                String.format(
                        Locale.ROOT,
                        "%.4g TFLOP/s reached (--flop-rate), %.4g GB/s over the bus (--bus-rate)",
                        asked.rates().flopsPerSecond() / 1e12,
                        asked.rates().busBytesPerSecond() / 1e9));
        out.println();
        for (CardPlan other : others) {
            out.printf(LINE, other.width() + "x" + other.height(), outcome(other));
        }
    }

    private String budget() {
        long stated = CardPlan.statedBudget(device);
        if (stated == CardPlan.NO_LIMIT) {
            return "as much as it takes (--vram-budget SIZE sets a limit)";
        }
        return mebibytes(asked.plan().budgetBytes()) + ": " + mebibytes(stated)
                + (card != null ? " free on " + card.label() : device.vramBudgetBytes() == 0 ? " as a 2 GB card has" : "")
                + (device.vramHeadroomBytes() > 0 ? ", " + mebibytes(device.vramHeadroomBytes()) + " of them for other programs" : "")
                + ", " + mebibytes(ResidencyPlan.MARGIN_BYTES) + " left for the driver's rounding";
    }

    private static String residency(ResidencyPlan plan) {
        String word = plan.residency().word();
        if (plan.residency() == Residency.RESIDENT) {
            return word + ": all weights stay on the card";
        }
        return word + ": the networks take turns"
                + (plan.streamedBytesPerStep() > 0 ? ", some of the denoiser's weights are copied at every step" : "");
    }

    private static String outcome(CardPlan other) {
        ResidencyPlan plan = other.plan();
        return plan.shortage()
                .map(line -> "does not fit: " + line)
                .orElseGet(() -> "fits as " + plan.residency().word() + ", peak " + mebibytes(plan.peakBytes()) + ", copied a step "
                        + mebibytes(plan.streamedBytesPerStep()) + ", step " + seconds(other.stepSeconds()) + inBands(plan));
    }

    private static String inBands(ResidencyPlan plan) {
        return plan.networks().stream()
                .filter(NetworkPlace::reducedArena)
                .map(network -> ", " + network.name() + " in bands")
                .collect(Collectors.joining());
    }

    private static void printWeights(PrintStream out, NetworkPlace network) {
        for (int i = 0; i < network.demand().weights().size(); i++) {
            Placement placement = network.weights().placements().get(i);
            String place = placement.resident() ? "stays" : "piece " + placement.unit() + ", slot " + placement.slot();
            String name = network.demand().weights().get(i).name();
            out.printf(Locale.ROOT, "%-16s %12d B  %s%n", place, network.demand().weights().get(i).bytes(), name);
        }
        out.println();
    }

    /** "input_blocks 1-5, 7, middle_block": which parts of the denoiser the streamed weights belong to. */
    private static String streamedBlocks(NetworkPlace network) {
        Map<String, TreeSet<Integer>> blocks = new LinkedHashMap<>();
        for (StreamUnit unit : network.weights().units()) {
            for (int weight : unit.weights()) {
                String[] name = network.demand().weights().get(weight).name().substring(UNet.PREFIX.length()).split("\\.");
                TreeSet<Integer> numbers = blocks.computeIfAbsent(name[0], block -> new TreeSet<>());
                if (name[0].endsWith("_blocks")) {
                    numbers.add(Integer.parseInt(name[1]));
                }
            }
        }
        return blocks.entrySet().stream()
                .map(block -> (block.getKey() + " " + ranges(block.getValue())).strip())
                .collect(Collectors.joining(", "));
    }

    /** "1-5, 7". */
    private static String ranges(TreeSet<Integer> numbers) {
        StringBuilder text = new StringBuilder();
        for (int number : numbers) {
            boolean begins = !numbers.contains(number - 1);
            if (begins) {
                text.append(text.isEmpty() ? "" : ", ").append(number);
            } else if (!numbers.contains(number + 1)) {
                text.append('-').append(number);
            }
        }
        return text.toString();
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    private static String seconds(double seconds) {
        return seconds < 1 ? String.format(Locale.ROOT, "%.1f ms", seconds * 1000) : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    void writeTo(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("model", model.toString());
        out.writeStringField("card", card == null ? null : card.name());
        out.writeStringField("weights", weightFormat());
        out.writeNumberField("batchSize", request.batchSize());
        write(out, asked);
        writeNetworks(out, asked.plan());
        out.writeObjectFieldStart("assumed");
        out.writeNumberField("contextBytes", asked.plan().fixedBytes());
        out.writeNumberField("flopsPerSecond", asked.rates().flopsPerSecond());
        out.writeNumberField("busBytesPerSecond", asked.rates().busBytesPerSecond());
        out.writeEndObject();
        out.writeArrayFieldStart("otherSizes");
        for (CardPlan other : others) {
            out.writeStartObject();
            write(out, other);
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private void write(JsonGenerator out, CardPlan each) throws IOException {
        ResidencyPlan plan = each.plan();
        out.writeNumberField("width", each.width());
        out.writeNumberField("height", each.height());
        out.writeBooleanField("fits", plan.fits());
        out.writeStringField("residency", plan.residency().word());
        out.writeStringField("shortage", plan.shortage().orElse(null));
        if (CardPlan.statedBudget(device) == CardPlan.NO_LIMIT) {
            out.writeNullField("budgetBytes");
        } else {
            out.writeNumberField("budgetBytes", plan.budgetBytes());
        }
        out.writeNumberField("peakBytes", plan.peakBytes());
        out.writeStringField("peakNetwork", plan.largest().name());
        out.writeNumberField("contextBytes", plan.fixedBytes());
        out.writeNumberField("weightsBytes", plan.weightsBytes());
        out.writeNumberField("activationBytes", plan.activationBytes());
        out.writeNumberField("streamedBytesPerStep", plan.streamedBytesPerStep());
        out.writeNumberField("turnBytesPerBatch", plan.turnBytes());
        out.writeNumberField("secondsPerStep", each.stepSeconds());
        out.writeNumberField("computeSecondsPerStep", each.computeSecondsPerStep());
        out.writeNumberField("secondsPerBatch", each.batchSeconds());
        out.writeNumberField("flopsPerPicture", each.flopsPerPicture());
    }

    private static void writeNetworks(JsonGenerator out, ResidencyPlan plan) throws IOException {
        out.writeArrayFieldStart("networks");
        for (NetworkPlace network : plan.networks()) {
            NetworkDemand demand = network.demand();
            out.writeStartObject();
            out.writeStringField("network", network.name());
            out.writeNumberField("flops", demand.flops());
            out.writeNumberField("weightsBytes", demand.weightBytes());
            out.writeNumberField("residentBytes", network.weights().blockBytes());
            out.writeNumberField("slotBytes", network.weights().slotBytes());
            out.writeNumberField("streamedBytes", network.weights().streamedBytes());
            out.writeNumberField("activationBytes", network.arenaBytes());
            out.writeBooleanField("reducedActivation", network.reducedArena());
            out.writeArrayFieldStart("streamed");
            for (StreamUnit unit : network.weights().units()) {
                out.writeStartObject();
                out.writeNumberField("bytes", unit.bytes());
                out.writeArrayFieldStart("weights");
                for (int weight : unit.weights()) {
                    out.writeString(demand.weights().get(weight).name());
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
