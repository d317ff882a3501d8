package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import kiln.runtime.check.CpuPlan;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.cli.base.Quantities;

/** A plan for the CPU, for people and for programs. */
public record CpuPlanReport(Path model, GenerationRequest request, CpuPlan plan) {
    public void print(PrintStream out, boolean everyNode) {
        if (everyNode) {
            plan.networks().forEach(network -> out.println(network.table()));
        }
        out.println(String.format(
                Locale.ROOT, "%s, %dx%d, %s", model.getFileName(), request.width(), request.height(), plan.dtype()));
        for (CpuPlan.Network network : plan.networks()) {
            out.println(String.format(
                    Locale.ROOT,
                    "%-14s %10.1f GFLOP  weights %10s  results %10s%s",
                    network.name(),
                    network.flops() / 1e9,
                    Quantities.bytes(network.weightBytes()),
                    Quantities.bytes(network.resultBytes()),
                    bands(network)));
        }
        if (plan.lowramWeightBytes() < plan.weightBytes()) {
            out.println("all weights    " + Quantities.bytes(plan.weightBytes()) + " as they are computed with, "
                    + Quantities.bytes(plan.lowramWeightBytes()) + " with --lowram" + (plan.lowram() ? ", which is set" : ""));
        }
        out.println(String.format(
                Locale.ROOT,
                "in all         %10.1f GFLOP a picture of %d calls of the denoiser; %s of memory beside the program's own",
                plan.flopsPerPicture() / 1e9,
                plan.calls(),
                Quantities.bytes(plan.peakBytes())));
    }

    private static String bands(CpuPlan.Network network) {
        return network.bands() == 1
                ? ""
                : "  in up to " + network.bands() + " bands (" + Quantities.bytes(network.wholeBytes()) + " in whole maps)";
    }

    public void writeTo(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("model", model.toString());
        out.writeStringField("dtype", plan.dtype());
        out.writeNumberField("width", request.width());
        out.writeNumberField("height", request.height());
        out.writeNumberField("peakBytes", plan.peakBytes());
        out.writeNumberField("weightsBytes", plan.weightBytes());
        out.writeNumberField("lowramWeightsBytes", plan.lowramWeightBytes());
        out.writeBooleanField("lowram", plan.lowram());
        out.writeNumberField("activationBytes", plan.resultBytes());
        out.writeNumberField("flopsPerPicture", plan.flopsPerPicture());
        out.writeArrayFieldStart("networks");
        for (CpuPlan.Network network : plan.networks()) {
            write(out, network);
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, CpuPlan.Network network) throws IOException {
        out.writeStartObject();
        out.writeStringField("network", network.name());
        out.writeNumberField("flops", network.flops());
        out.writeNumberField("weightsBytes", network.weightBytes());
        out.writeNumberField("lowramWeightsBytes", network.lowramWeightBytes());
        out.writeNumberField("activationBytes", network.resultBytes());
        out.writeNumberField("wholeActivationBytes", network.wholeBytes());
        out.writeNumberField("bands", network.bands());
        out.writeArrayFieldStart("nodes");
        for (CpuPlan.Node node : network.nodes()) {
            out.writeStartObject();
            out.writeStringField("name", node.name());
            out.writeStringField("op", node.op());
            out.writeStringField("shape", node.shape());
            out.writeNumberField("flops", node.flops());
            out.writeNumberField("weightsBytes", node.weightBytes());
            out.writeNumberField("resultBytes", node.resultBytes());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
