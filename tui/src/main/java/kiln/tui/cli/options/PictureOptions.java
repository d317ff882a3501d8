package kiln.tui.cli.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.check.PictureInspection;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.InfoTextReader;
import kiln.runtime.job.PictureParameters;
import kiln.runtime.job.Setting;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.text.NovelAiPrompt;
import kiln.runtime.text.NovelAiPrompt.UndesiredContent;
import kiln.tui.cli.base.CliContext;
import picocli.CommandLine.Option;

/** What decides a picture, as options; {@code null} where the user said nothing. */
public final class PictureOptions {
    private static final Pattern SIZE = Pattern.compile("\\s*(\\d{1,6})\\s*[xX×*]\\s*(\\d{1,6})\\s*");

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

    @Option(names = "--noise-card", paramLabel = "CARD", description = "Whose random numbers --noise gpu makes: RTX 3060, or 28x1536.")
    String noiseCard;

    @Option(names = "--eta", paramLabel = "X", description = "How much of a step's noise is fresh. Default: the sampler's own.")
    Double eta;

    @Option(names = {"--ensd", "--eta-noise-seed-delta"}, paramLabel = "N", description = "Added to the seed for later noise. Default: 0.")
    Long etaNoiseSeedDelta;

    @Option(names = {"--subseed", "--variation-seed"}, paramLabel = "N", description = "A second seed; -1 (the default) draws one.")
    Long variationSeed;

    @Option(
            names = {"--subseed-strength", "--variation-strength"},
            paramLabel = "X",
            description = "How much of the second seed's noise is mixed in, 0 to 1. Default: 0.")
    Double variationStrength;

    @Option(
            names = "--seed-resize-from",
            paramLabel = "WIDTHxHEIGHT",
            description = "The size at which the seed gave a picture like the one wanted.")
    String seedResizeFrom;

    @Option(names = "--novelai", description = "The prompts are in NovelAI's grammar: {x} is 1.05 times as strong.")
    boolean novelAi;

    @Option(names = "--novelai-quality", description = "Put the tags before the prompt that NovelAI adds.")
    boolean novelAiQuality;

    @Option(
            names = "--novelai-uc",
            paramLabel = "N",
            description = "Put NovelAI's tags before the negative prompt: 0 (low quality and bad anatomy) or 1 (low quality).")
    Integer novelAiUndesired;

    @Option(
            names = "--samples-format",
            paramLabel = "FORMAT",
            description = "png, jpg or webp. Default: what the name of -o ends with, else png.")
    String samplesFormat;

    @Option(names = "--jpeg-quality", paramLabel = "N", description = "Of JPEG and WebP, 1 to 100. Default: 80.")
    Integer jpegQuality;

    @Option(names = "--webp-lossless", description = "WebP keeps every pixel as it is.")
    boolean webpLossless;

    @Option(names = "--tiling", description = "Pictures whose opposite edges join: tiles without seams.")
    boolean tiling;

    @Option(names = "--save-txt", description = "A text file with the parameters beside each picture.")
    boolean saveText;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            completionCandidates = Choices.Settings.class,
            description = "One of A1111's options by its name in config.json (repeatable): see kiln settings.")
    List<String> settings = new ArrayList<>();

    @Option(
            names = "--like",
            paramLabel = "PICTURE",
            description = "Begin with the settings that a picture carries; what else is given counts more.")
    Path like;

    /**
     * The request: what the user gave, then what the model presets, then the web UI's folder or A1111.
     *
     * @param defaults the folder's presets
     * @throws KilnException when a value is not possible, or there is no prompt
     */
    public GenerationRequest request(ModelPresets presets, GenerationRequest defaults, CliContext context) {
        GenerationRequest complete = values(presets, defaults, context);
        GenerationRequest.Builder request = complete.toBuilder();
        if (prompt == null && like != null) {
            return request.build();
        }
        if (prompt != null) {
            request.prompt(prompt.equals("-") ? standardInput(context) : prompt);
        } else if (!presets.firstPrompt().isEmpty()) {
            context.err().println("kiln: no prompt was given, so it draws: " + presets.firstPrompt());
            request.prompt(presets.firstPrompt());
        } else if (complete.prompt().isEmpty()) {
            throw KilnException.badRequest("no prompt: say what to draw with -p TEXT");
        }
        return novelAi(request).build();
    }

    /** NovelAI's ways, where they were asked for. */
    private GenerationRequest.Builder novelAi(GenerationRequest.Builder request) {
        GenerationRequest given = request.build();
        UnaryOperator<String> grammar = novelAi ? NovelAiPrompt::toWebUi : UnaryOperator.identity();
        String positive = grammar.apply(given.prompt());
        String negative = grammar.apply(given.negativePrompt());
        if (novelAiUndesired != null) {
            UndesiredContent[] kinds = UndesiredContent.values();
            if (novelAiUndesired < 0 || novelAiUndesired >= kinds.length) {
                throw KilnException.badRequest("--novelai-uc " + novelAiUndesired + ": give 0 to " + (kinds.length - 1));
            }
            negative = kinds[novelAiUndesired].with(negative);
        }
        return request.prompt(novelAiQuality ? NovelAiPrompt.withQualityTags(positive) : positive).negativePrompt(negative);
    }

    /** Whether the settings are those of a picture. */
    public boolean isLike() {
        return like != null;
    }

    /** Whether a prompt was given. */
    public boolean hasPrompt() {
        return prompt != null;
    }

    /** The same without the prompt. */
    public GenerationRequest values(ModelPresets presets, GenerationRequest defaults, CliContext context) {
        GenerationRequest.Builder request = like == null ? presets.builder(defaults) : like(presets.builder(defaults).build(), context);
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
        if (noiseCard != null) {
            request.set(Setting.NOISE_CARD, noiseCard);
        }
        if (eta != null) {
            request.eta(eta);
        }
        if (etaNoiseSeedDelta != null) {
            request.set(Setting.ETA_NOISE_SEED_DELTA, etaNoiseSeedDelta);
        }
        if (samplesFormat != null) {
            request.set(Setting.SAMPLES_FORMAT, samplesFormat);
        }
        if (jpegQuality != null) {
            request.set(Setting.JPEG_QUALITY, jpegQuality);
        }
        if (webpLossless) {
            request.set(Setting.WEBP_LOSSLESS, true);
        }
        if (saveText) {
            request.set(Setting.SAVE_TEXT, true);
        }
        if (tiling) {
            request.set(Setting.TILING, true);
        }
        variation(request);
        settings.forEach(given -> set(request, given));
        GenerationRequest complete = request.build();
        // Unknown names must be told before a model is loaded.
        SamplerChoice.find(complete.sampler(), complete.schedule());
        return complete;
    }

    /** What a picture's parameters ask for; what of it cannot be had is told. */
    private GenerationRequest.Builder like(GenerationRequest base, CliContext context) {
        Path file = GlobalOptions.readable(like, "picture");
        PictureParameters parameters = PictureInspection.of(file).parameters();
        if (parameters == null) {
            throw KilnException.badRequest(file + " carries no parameters: nothing says how it was made");
        }
        parameters.notUnderstood().forEach(what -> context.err().println("kiln: " + file.getFileName() + ": not understood: " + what));
        InfoTextReader.Reading reading = InfoTextReader.read(InfoText.parse(parameters.infoText()), base);
        reading.notHonoured().forEach(field -> context.err().println("kiln: " + file.getFileName() + ": left out: " + field));
        return reading.request();
    }

    private void variation(GenerationRequest.Builder request) {
        GenerationRequest.Variation before = request.build().variation();
        int[] from = seedResizeFrom == null
                ? new int[] {before.resizeFromWidth(), before.resizeFromHeight()}
                : size("--seed-resize-from", seedResizeFrom);
        request.variation(new GenerationRequest.Variation(
                variationSeed == null ? before.seed() : variationSeed,
                variationStrength == null ? before.strength() : variationStrength,
                from[0],
                from[1]));
    }

    private static void set(GenerationRequest.Builder request, String given) {
        int equals = given.indexOf('=');
        if (equals < 1) {
            throw KilnException.badRequest("--set " + given + ": give NAME=VALUE, as --set s_churn=4");
        }
        request.set(Setting.named(given.substring(0, equals).strip()), given.substring(equals + 1));
    }

    /** "512x768" as width and height. */
    static int[] size(String option, String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw KilnException.badRequest(option + " " + text + ": give WIDTHxHEIGHT, as 512x768");
        }
        return new int[] {Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))};
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
