package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleConsumer;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.merge.BlockMultipliers;
import kiln.runtime.merge.CheckpointMerge;
import kiln.runtime.merge.MergeRecipe;
import kiln.runtime.merge.MergeRecipe.Format;
import kiln.runtime.merge.MergeRecipe.Method;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.GlobalOptions;
import kiln.tui.cli.options.Places;
import kiln.tui.cli.reports.ProgressLine;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kiln merge}: A1111's checkpoint merger. */
@CommandLine.Command(
        name = "merge",
        description = "Make a checkpoint of one, two or three: change its format, bake a VAE in, mix models.",
        sortOptions = false)
final class MergeCommand extends CliCommand {
    private static final double USUAL_MULTIPLIER = 0.3;

    @Parameters(paramLabel = "MODEL", arity = "1..3", description = "A, B and C: files, or names as kiln models shows them.")
    List<Path> models;

    @Option(
            names = {"-M", "--method"},
            paramLabel = "METHOD",
            description = "sum: A · (1 - M) + B · M; difference: A + (B - C) · M; none: A. Default: by the number of models.")
    String method;

    @Option(names = {"-m", "--multiplier"}, paramLabel = "M", description = "Default: 0.3.")
    double multiplier = USUAL_MULTIPLIER;

    @Option(
            names = "--block-weights",
            paramLabel = "WEIGHTS",
            description = "A multiplier for each block of the denoiser: 25 numbers with commas between, IN00 to IN11, M00, OUT00 to OUT11,"
                    + " or the name of a preset. Everything else has --multiplier.")
    String blockWeights;

    @Option(names = "--save-as", paramLabel = "FORMAT", description = "Number format: f16, bf16, f32. Default: as in A.")
    String format;

    @Option(names = "--bake-vae", paramLabel = "FILE", description = "Whose autoencoder takes the place of A's.")
    Path vae;

    @Option(names = "--discard-weights", paramLabel = "REGEX", description = "Leave out tensors in whose names this is found.")
    String discard;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "A .safetensors file. Default: beside the other models, named as A1111 names it.")
    Path output;

    MergeCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "Block weights with a name: " + String.join(", ", BlockMultipliers.presetNames()) + ".",
                "",
                "Prints the path of the file, whose metadata say what was merged. Files of gigabytes take as long as the disk needs to read and"
                        + " write them, and hashing each model once (--no-hashing leaves that out).",
                "",
                "Example: kiln merge a.safetensors b.safetensors -m 0.4 --save-as f16 -o mixed.safetensors");
    }

    @Override
    public int run() {
        Places places = global.places(context);
        List<Path> files = models.stream().map(model -> global.checkpoint(model, places)).toList();
        MergeRecipe recipe = new MergeRecipe(
                files.get(0),
                files.size() > 1 ? files.get(1) : null,
                files.size() > 2 ? files.get(2) : null,
                method(files.size()),
                multiplier,
                blockWeights == null ? null : BlockMultipliers.parse(blockWeights),
                format(),
                vae == null ? null : GlobalOptions.readable(vae, "VAE"),
                pattern());
        Path file = output == null
                ? places.models().resolve("Stable-diffusion").resolve(CheckpointMerge.fileName(recipe))
                : output.toAbsolutePath().normalize();
        AtomicBoolean cancelled = new AtomicBoolean();
        context.cancellation().calls(() -> cancelled.set(true));
        ProgressLine line = context.errIsTty() && global.progressBar() ? new ProgressLine(context.err(), context.columns()) : null;
        DoubleConsumer progress = line == null ? done -> { } : done -> line.show(new GenerationEvent.Loading("merging", done));
        try {
            CheckpointMerge.write(recipe, file, global.hashing() ? places.cache() : null, progress, cancelled::get);
        } finally {
            if (line != null) {
                line.clear();
            }
        }
        context.out().println(file);
        return 0;
    }

    private Method method(int count) {
        if (method == null) {
            return Method.values()[count - 1];
        }
        return switch (method.strip().toLowerCase(Locale.ROOT)) {
            case "none", "no interpolation" -> Method.NONE;
            case "sum", "weighted sum", "weighted-sum" -> Method.WEIGHTED_SUM;
            case "difference", "add difference", "add-difference" -> Method.ADD_DIFFERENCE;
            default -> throw KilnException.badRequest("--method " + method + ": give sum, difference or none");
        };
    }

    private Format format() {
        if (format == null) {
            return Format.KEEP;
        }
        return switch (format.strip().toLowerCase(Locale.ROOT)) {
            case "f16", "fp16", "half" -> Format.F16;
            case "bf16" -> Format.BF16;
            case "f32", "fp32", "float" -> Format.F32;
            case "int8", "i8" -> throw KilnException.badRequest(
                    "--save-as " + format + ": no file format for 8-bit weights is known here; save f16 and draw with --weights int8");
            default -> throw KilnException.badRequest("--save-as " + format + ": give f16, bf16 or f32");
        };
    }

    private Pattern pattern() {
        try {
            return discard == null || discard.isEmpty() ? null : Pattern.compile(discard);
        } catch (PatternSyntaxException e) {
            throw KilnException.badRequest("--discard-weights " + discard + " is no regular expression: " + e.getDescription());
        }
    }
}
