package kiln.runtime.check;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.cuda.residence.HostMemory;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.pipeline.ModelSession;
import kiln.runtime.pipeline.PictureNetworks;

/** Times the parts of a picture's making on this machine: one CFG step (batch 2), the decoder, the text encoder with both prompts. */
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
            LibraryGain products) {
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
        // Before anything else is on the card, so that what follows is timed as a picture would be.
        LibraryGain products = LibraryGain.of(LibraryMeasurement.measure(options, checkpoint, width, height, listener, notices));
        try (Device device = Devices.open(options, notices);
                ModelSession session = new ModelSession(ModelFiles.open(checkpoint), files -> device.executor(files, notices))) {
            Model model = session.model();
            PictureNetworks networks = PictureNetworks.of(model, GenerationRequest.builder().width(width).height(height).build());
            session.announce(networks.all());
            Random random = new Random(1);
            listener.accept("text encoder");
            Timing text = time(() -> encodePrompts(session, networks), runs);
            listener.accept("denoiser");
            NetworkShape step = networks.passes().get(0).any();
            int positions = step.height() * step.width();
            Map<String, float[]> inputs = new HashMap<>();
            inputs.put("latent", normals(random, step.batch() * positions * model.denoiser().inChannels()));
            inputs.put("timesteps", new float[] {500});
            inputs.put("context", normals(random, step.batch() * step.tokens() * model.denoiser().contextWidth()));
            Timing unet = time(() -> session.network(step).run(inputs, Progress.NONE), runs);
            listener.accept("decoder");
            Map<String, float[]> latent = Map.of("latent", normals(random, positions * model.latent().channels()));
            Timing decode = time(() -> session.network(networks.decoder()).run(latent, Progress.NONE), runs);
            String dtype = session.precision().name().toLowerCase(Locale.ROOT);
            DeviceUse use = session.deviceUse();
            long streamed = use == null ? 0 : use.streamedBytesPerStep();
            return new Result(unet, decode, text, dtype, session.device(), peakResidentBytes(), use, streamed, products);
        }
    }

    /** A prompt and a negative prompt, of one chunk each, through all encoders. */
    private static void encodePrompts(ModelSession session, PictureNetworks networks) {
        for (NetworkShape encoder : networks.text()) {
            float[] tokens = new float[encoder.tokens()];
            Arrays.fill(tokens, 320);
            for (int prompt = 0; prompt < 2; prompt++) {
                session.network(encoder).run(Map.of("tokens", tokens), Progress.NONE);
            }
        }
    }

    private static float[] normals(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Timing time(Runnable work, int runs) {
        work.run();
        double[] seconds = new double[runs];
        for (int i = 0; i < runs; i++) {
            long begin = System.nanoTime();
            work.run();
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
