package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import kiln.runtime.Engine;
import kiln.runtime.EngineOptions;
import kiln.runtime.GenerationRequest;
import kiln.runtime.KilnException;
import kiln.runtime.Precision;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.plan.DryRun;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Sampling;
import kiln.runtime.text.TokenChunk;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln plan}: what a request would take, before anything is computed. */
@CommandLine.Command(
        name = "plan",
        description = "Show the memory and work that a picture would take, from the model's shapes alone; with --nodes, node by node.")
final class PlanCommand extends Command {
    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 1)
    PictureOptions picture = new PictureOptions();

    @Option(names = "--nodes", description = "Every node of the three networks: result, GFLOP, bytes.")
    boolean nodes;

    @Option(
            names = "--json",
            description = "{\"peakBytes\", \"weightsBytes\", \"activationBytes\", \"flopsPerPicture\", \"networks\": [{\"network\","
                    + " \"flops\", \"weightsBytes\", \"activationBytes\", \"nodes\"}]}")
    boolean json;

    PlanCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, new DeviceFlags());
        Path model;
        try (Engine engine = new Engine(options)) {
            model = engine.defaultModel();
        }
        GenerationRequest request = picture.values(Engine.defaultsOf(model));
        boolean wide = options.precision() == Precision.F32 || options.precision() == Precision.AUTO && !OneDnn.hasBf16();
        int bytesPerElement = wide ? 4 : 2;
        List<DryRun> networks;
        try (CheckpointFile file = CheckpointFile.open(model)) {
            networks = networks(file.sizes(), file::shape, request, bytesPerElement);
        }
        DryRun text = networks.get(0);
        DryRun unet = networks.get(1);
        DryRun decoder = networks.get(2);
        int calls = Sampling.networkCalls(SamplerChoice.find(request.sampler(), request.schedule()), request.steps());
        double flops = 2 * text.flops() + calls * unet.flops() / request.batchSize() + decoder.flops();
        long weights = networks.stream().mapToLong(DryRun::weightBytes).sum();
        long activations = networks.stream().mapToLong(DryRun::arenaBytes).max().orElse(0);
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("model", model.toString());
                out.writeStringField("dtype", wide ? "f32" : "bf16");
                out.writeNumberField("width", request.width());
                out.writeNumberField("height", request.height());
                out.writeNumberField("peakBytes", weights + activations);
                out.writeNumberField("weightsBytes", weights);
                out.writeNumberField("activationBytes", activations);
                out.writeNumberField("flopsPerPicture", flops);
                out.writeArrayFieldStart("networks");
                for (DryRun network : networks) {
                    write(out, network);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
            return 0;
        }
        if (nodes) {
            networks.forEach(network -> context.out().println(network.table()));
        }
        context.out().println(String.format(
                Locale.ROOT, "%s, %dx%d, %s", model.getFileName(), request.width(), request.height(), wide ? "f32" : "bf16"));
        for (DryRun network : networks) {
            context.out().println(String.format(
                    Locale.ROOT,
                    "%-14s %10.1f GFLOP  weights %10s  results %10s",
                    network.network(),
                    network.flops() / 1e9,
                    Quantities.bytes(network.weightBytes()),
                    Quantities.bytes(network.arenaBytes())));
        }
        context.out().println(String.format(
                Locale.ROOT,
                "in all         %10.1f GFLOP a picture of %d calls of the denoiser; %s of memory beside the program's own",
                flops / 1e9,
                calls,
                Quantities.bytes(weights + activations)));
        return 0;
    }

    private static List<DryRun> networks(
            Checkpoint sizes, Function<String, List<Integer>> shapes, GenerationRequest request, int bytesPerElement) {
        int scale = sizes.vae().scale();
        if (request.width() % scale != 0 || request.height() % scale != 0) {
            throw KilnException.badRequest("size " + request.width() + "x" + request.height() + ": this model needs multiples of " + scale);
        }
        int h = request.height() / scale;
        int w = request.width() / scale;
        int entries = request.batchSize() * (request.cfgScale() == 1 ? 1 : 2);
        return List.of(
                DryRun.of("text encoder", sizes.text().graph(shapes, 1, TokenChunk.LENGTH, request.clipSkip()), bytesPerElement),
                DryRun.of("denoiser", sizes.unet().graph(shapes, entries, h, w, TokenChunk.LENGTH, 1), bytesPerElement),
                DryRun.of("decoder", sizes.vae().decoder(shapes, 1, h, w), bytesPerElement));
    }

    private static void write(JsonGenerator out, DryRun network) throws IOException {
        out.writeStartObject();
        out.writeStringField("network", network.network());
        out.writeNumberField("flops", network.flops());
        out.writeNumberField("weightsBytes", network.weightBytes());
        out.writeNumberField("activationBytes", network.arenaBytes());
        out.writeArrayFieldStart("nodes");
        for (DryRun.Step step : network.steps()) {
            out.writeStartObject();
            out.writeStringField("name", step.name());
            out.writeStringField("op", step.op());
            out.writeStringField("shape", step.shape());
            out.writeNumberField("flops", step.flops());
            out.writeNumberField("weightsBytes", step.weightBytes());
            out.writeNumberField("resultBytes", step.resultBytes());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
