package kiln.tui.cli.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Setting;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.SamplerChoice;
import kiln.tui.cli.base.CliContext;
import picocli.CommandLine.Option;

/** What decides a picture, as options; {@code null} where the user said nothing. */
public final class PictureOptions {
    @Option(names = {"-p", "--prompt"}, paramLabel = "TEXT", description = "What to draw; - reads it from the standard input.")
    String prompt;

    @Option(names = {"-n", "--negative-prompt"}, paramLabel = "TEXT", description = "What to keep away from.")
    String negativePrompt;

    @Option(
            names = {"--sampler", "--sampler-name", "--sampling-method"},
            paramLabel = "SAMPLER",
            completionCandidates = Choices.Samplers.class,
            description = "See below. Default: Euler a.")
    String sampler;

    @Option(
            names = {"--schedule", "--scheduler", "--schedule-type"},
            paramLabel = "SCHEDULE",
            completionCandidates = Choices.Schedules.class,
            description = "See below. Default: Automatic, the sampler's own.")
    String schedule;

    @Option(names = {"--steps", "--sampling-steps"}, paramLabel = "N", description = "Default: 20.")
    Integer steps;

    @Option(names = {"--cfg-scale", "--cfg"}, paramLabel = "X", description = "How closely to follow the prompt. Default: 7.")
    Double cfgScale;

    @Option(names = {"-s", "--seed"}, paramLabel = "N", description = "-1 (the default) draws one.")
    Long seed;

    @Option(names = {"-W", "--width"}, paramLabel = "PIXELS", description = "A multiple of 8. Default: 512.")
    Integer width;

    @Option(names = {"-H", "--height"}, paramLabel = "PIXELS", description = "A multiple of 8. Default: 512.")
    Integer height;

    @Option(names = "--batch-size", paramLabel = "N", description = "Pictures computed together. Default: 1.")
    Integer batchSize;

    @Option(names = {"--batch-count", "--n-iter"}, paramLabel = "N", description = "How many batches. Default: 1.")
    Integer batchCount;

    @Option(names = "--clip-skip", paramLabel = "N", description = "2 takes the text encoder's last but one layer. Default: 1.")
    Integer clipSkip;

    @Option(
            names = {"--noise", "--rng"},
            paramLabel = "KIND",
            completionCandidates = Choices.NoiseKinds.class,
            description = "cpu (torch's), nv (CUDA's as A1111 emulates it) or gpu (a card's). Default: cpu.")
    NoiseKind noise;

    @Option(
            names = {"--sd-vae", "--vae"},
            paramLabel = "NAME",
            description = "A VAE's file name (kiln models lists them), None for the model's own or Automatic. Default: Automatic.")
    String vae;

    /**
     * The request: what the user gave, then what the model presets, then A1111's presets.
     *
     * @throws KilnException when a value is not possible, or there is no prompt
     */
    public GenerationRequest request(ModelPresets presets, CliContext context) {
        GenerationRequest.Builder request = values(presets).toBuilder();
        if (prompt != null) {
            request.prompt(prompt.equals("-") ? standardInput(context) : prompt);
        } else if (!presets.firstPrompt().isEmpty()) {
            context.err().println("kiln: no prompt was given, so it draws: " + presets.firstPrompt());
            request.prompt(presets.firstPrompt());
        } else {
            throw KilnException.badRequest("no prompt: say what to draw with -p TEXT");
        }
        return request.build();
    }

    /** The same without the prompt. */
    public GenerationRequest values(ModelPresets presets) {
        GenerationRequest.Builder request = presets.builder();
        if (negativePrompt != null) {
            request.negativePrompt(negativePrompt);
        }
        if (sampler != null) {
            request.sampler(sampler);
        }
        if (schedule != null) {
            request.schedule(schedule);
        }
        if (steps != null) {
            request.steps(steps);
        }
        if (cfgScale != null) {
            request.cfgScale(cfgScale);
        }
        if (seed != null) {
            request.seed(seed);
        }
        if (width != null) {
            request.width(width);
        }
        if (height != null) {
            request.height(height);
        }
        if (batchSize != null) {
            request.batchSize(batchSize);
        }
        if (batchCount != null) {
            request.batchCount(batchCount);
        }
        if (clipSkip != null) {
            request.clipSkip(clipSkip);
        }
        if (noise != null) {
            request.noise(noise);
        }
        if (vae != null) {
            request.set(Setting.VAE, vae);
        }
        GenerationRequest complete = request.build();
        // Unknown names must be told before a model is loaded.
        SamplerChoice.find(complete.sampler(), complete.schedule());
        return complete;
    }

    /** At most what a prompt may have: a character takes up to four bytes. */
    private static String standardInput(CliContext context) {
        try {
            byte[] bytes = context.in().readNBytes(4 * GenerationRequest.MAX_PROMPT_CHARACTERS + 4);
            return new String(bytes, StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
