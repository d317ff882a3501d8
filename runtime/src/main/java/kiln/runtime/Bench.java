package kiln.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import kiln.runtime.exec.CompiledGraph.Progress;
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
     */
    public record Result(Timing unetStep, Timing vaeDecode, Timing textEncode, String dtype, String device, long peakResidentBytes) {}

    private Bench() {}

    /**
     * @param runs timed runs of each part, after one that is not counted
     * @param listener told what is being done
     */
    public static Result run(EngineOptions options, Path checkpoint, int width, int height, int runs, Consumer<String> listener) {
        try (LoadedModel model = new LoadedModel(CheckpointFile.open(checkpoint), file -> Executors.create(options, file, listener))) {
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
            listener.accept("text encoder");
            Timing text = time(model.textEncoder(2, TokenChunk.LENGTH, 1), Map.of("tokens", tokens), runs);
            listener.accept("denoiser");
            Timing unet = time(model.unet(2, h, w, TokenChunk.LENGTH), step, runs);
            listener.accept("decoder");
            int latentChannels = model.sizes().vae().latentChannels();
            Timing decode = time(model.decoder(1, h, w), Map.of("latent", normals(random, h * w * latentChannels)), runs);
            return new Result(unet, decode, text, model.precision().name().toLowerCase(Locale.ROOT), model.device(), peakResidentBytes());
        }
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
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.UTF_8)) {
                if (line.startsWith(field)) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
        return -1;
    }
}
