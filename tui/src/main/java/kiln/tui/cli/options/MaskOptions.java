package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Mask.Fill;
import picocli.CommandLine.Option;

/** What of a picture is drawn anew, as options; {@code null} where the user said nothing. */
public final class MaskOptions {
    @Option(names = "--mask", paramLabel = "FILE", description = "Draw anew where this picture is white.")
    Path file;

    @Option(names = "--mask-alpha", description = "Draw anew what is transparent in the picture to begin from.")
    boolean alpha;

    @Option(names = "--mask-blur", paramLabel = "PIXELS", description = "Of the mask's edges. Default: 4.")
    Integer blur;

    @Option(
            names = {"--inpainting-fill", "--masked-content"},
            paramLabel = "WHAT",
            description = "What the drawing begins from there: original, fill (blurred surroundings), latent noise or latent nothing."
                    + " Default: original.")
    String fill;

    @Option(names = "--inpaint-full-res", description = "Draw the mask and its surroundings only, at the size asked for, and put them back.")
    boolean onlyMasked;

    @Option(
            names = {"--inpaint-full-res-padding", "--masked-area-padding"},
            paramLabel = "PIXELS",
            description = "How much of the surroundings. Default: 32.")
    Integer padding;

    @Option(names = {"--inpainting-mask-invert", "--mask-invert"}, description = "Draw anew where the mask is black.")
    boolean inverted;

    @Option(names = "--soft-mask", description = "Grey places are changed in part; else they are black or white.")
    boolean soft;

    boolean isGiven() {
        return file != null || alpha;
    }

    /** As A1111's page begins. */
    Mask usual() {
        return Mask.of(file == null ? null : GlobalOptions.readable(file, "mask"));
    }

    /**
     * What was given, then what is so already.
     *
     * @throws KilnException when a value is not possible, or something was said of a mask that was not given
     */
    Mask over(Mask mask) {
        if (file != null && alpha) {
            throw KilnException.badRequest("--mask and --mask-alpha both say what the mask is: give one");
        }
        if (!isGiven()) {
            if (blur != null || fill != null || onlyMasked || padding != null || inverted || soft) {
                throw KilnException.badRequest("something is said of a mask, but there is none: give --mask FILE or --mask-alpha");
            }
            return null;
        }
        return new Mask(
                mask.file(),
                blur == null ? mask.blur() : blur,
                inverted || mask.inverted(),
                fill == null ? mask.fill() : fill(),
                onlyMasked || mask.onlyMasked(),
                padding == null ? mask.padding() : padding,
                soft || mask.soft());
    }

    private Fill fill() {
        String name = fill.strip().toLowerCase(Locale.ROOT).replace('-', ' ').replace('_', ' ');
        for (Fill row : Fill.values()) {
            if (row.label().equals(name) || Integer.toString(row.ordinal()).equals(name)) {
                return row;
            }
        }
        List<String> labels = Arrays.stream(Fill.values()).map(Fill::label).toList();
        throw KilnException.badRequest(
                "no masked content is called \"" + name + "\"" + NearestName.hint(name, labels) + " (" + String.join(", ", labels) + ")");
    }
}
