package kiln.runtime.check;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.Executors;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.exec.cuda.residence.HostMemory;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.pipeline.LoadedModel;
import kiln.runtime.text.TokenChunk;

/** Times the parts of a picture's making on this machine: one CFG step (batch 2), the decoder, the text encoder. */
public final class Bench {
    /** Seconds. */
    public record Timing(double median, double min) {}

    /**
     * @param dtype what the executor computes in: "bf16" or "f32"
     * @param device the executor, for people
     * @param peakResidentBytes the process's so far; −1 where the system does not tell
     * @param deviceUse the card at the end; {@code null} for the CPU
     * @param streamedBytesPerStep to the card; 0 where all weights stay
     * @param products where NVIDIA's libraries are faster on this card; {@code null} when that was not measured
     */
    public record Result(
            Timing unetStep,
            Timing vaeDecode,
            Timing textEncode,
            String dtype,
            String device,
            long peakResidentBytes,
            DeviceUse deviceUse,
            long streamedBytesPerStep,
            ProductTimes products) {
        /** Steps a second as people count them: both halves of a guided step are one. */
        public double stepsPerSecond() {
            return 1 / unetStep.median();
        }
    }

    private Bench() {}

    /**
     * @param runs timed runs of each part, after one that is not counted
     * @param listener told which part is being timed
     * @param notices told in one line what a person may want to know while the executor works
     */
    public static Result run(
            EngineOptions options, Path checkpoint, int width, int height, int runs, Consumer<String> listener, Consumer<String> notices) {
        ProductTimes products = measureProducts(options, checkpoint, width, height, listener, notices);
        try (LoadedModel model = new LoadedModel(CheckpointFile.open(checkpoint), file -> Executors.create(options, file, notices))) {
            int scale = model.sizes().vae().scale();
            int h = height / scale;
            int w = width / scale;
            Random random = new Random(1);
            int contextWidth = model.sizes().unet().contextWidth();
            Map<String, float[]> step = new HashMap<>();
            step.put("latent", normals(random, 2 * h * w * model.sizes().unet().inChannels()));
            step.put("timesteps", new float[] {500});
            step.put("context", normals(random, 2 * TokenChunk.LENGTH * contextWidth));
            float[] tokens = new float[2 * TokenChunk.LENGTH];
            Arrays.fill(tokens, 320);
            int latentChannels = model.sizes().vae().latentChannels();
            // Known before any runs, as for a picture: a card's memory is shared out once for all of them.
            LoadedModel.Network textEncoder = model.textEncoder(2, TokenChunk.LENGTH, 1);
            LoadedModel.Network denoiser = model.unet(2, h, w, TokenChunk.LENGTH);
            LoadedModel.Network decoder = model.decoder(1, h, w);
            listener.accept("text encoder");
            Timing text = time(textEncoder, Map.of("tokens", tokens), runs);
            listener.accept("denoiser");
            Timing unet = time(denoiser, step, runs);
            listener.accept("decoder");
            Timing decode = time(decoder, Map.of("latent", normals(random, h * w * latentChannels)), runs);
            String dtype = model.precision().name().toLowerCase(Locale.ROOT);
            DeviceUse use = model.deviceUse();
            long streamed = use == null ? 0 : use.streamedBytesPerStep();
            return new Result(unet, decode, text, dtype, model.device(), peakResidentBytes(), use, streamed, products);
        }
    }

    /** Before anything else is on the card, so that what follows is timed as a picture would be. */
    private static ProductTimes measureProducts(
            EngineOptions options, Path checkpoint, int width, int height, Consumer<String> listener, Consumer<String> notices) {
        int scale;
        try (CheckpointFile file = CheckpointFile.open(checkpoint)) {
            scale = file.sizes().vae().scale();
        }
        return LibraryMeasurement.measure(options, checkpoint, height / scale, width / scale, listener, notices);
    }

    private static float[] normals(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Timing time(LoadedModel.Network network, Map<String, float[]> inputs, int runs) {
        network.run(inputs, Progress.NONE);
        double[] seconds = new double[runs];
        for (int i = 0; i < runs; i++) {
            long begin = System.nanoTime();
            network.run(inputs, Progress.NONE);
            seconds[i] = (System.nanoTime() - begin) / 1e9;
        }
        Arrays.sort(seconds);
        double median = (seconds[(runs - 1) / 2] + seconds[runs / 2]) / 2;
        return new Timing(median, seconds[0]);
    }

    /** The most physical memory that this process has had, as Linux counts it. */
    public static long peakResidentBytes() {
        return statusBytes("VmHWM:");
    }

    /** The physical memory that this process has now. */
    public static long residentBytes() {
        return statusBytes("VmRSS:");
    }

    private static long statusBytes(String field) {
        return HostMemory.bytes(Path.of("/proc/self/status"), field).orElse(-1);
    }
}
