package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Mask.Fill;
import kiln.runtime.job.Outpainting;
import picocli.CommandLine.Option;

/** What of a picture is drawn anew, as options; {@code null} where the user said nothing. */
public final class MaskOptions {
    private static final List<String> SIDES = List.of("left", "right", "up", "down");

    @Option(names = "--mask", paramLabel = "FILE", description = "Draw anew where this picture is white.")
    Path file;

    @Option(names = "--mask-alpha", description = "Draw anew what is transparent in the picture to begin from.")
    boolean alpha;

    @Option(
            names = "--outpaint",
            paramLabel = "SIDES",
            split = ",",
            description = "Make the picture larger on these sides and draw what is missing: left,right,up,down. The blur is then 8 and the"
                    + " masked content fill by default.")
    List<String> outpaint;

    @Option(names = "--outpaint-pixels", paramLabel = "PIXELS", description = "How much larger on each. Default: 128.")
    Integer outpaintPixels;

    @Option(names = "--mask-blur", paramLabel = "PIXELS", description = "Of the mask's edges. Default: 4.")
    Integer blur;

    @Option(
            names = {"--inpainting-fill", "--masked-content"},
            paramLabel = "WHAT",
            description = "What the drawing begins from there: original, fill (blurred surroundings), latent noise or latent nothing."
                    + " Default: original.")
    String fill;

    @Option(
            names = "--inpaint-full-res",
            description = "Draw the mask and its surroundings only, at the size asked for, and put them back.")
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
        return file != null || alpha || outpaint != null;
    }

    /** As A1111's page begins. */
    Mask usual() {
        if (outpaint != null) {
            return Mask.of(outpainting());
        }
        return Mask.of(file == null ? null : GlobalOptions.readable(file, "mask"));
    }

    /**
     * What was given, then what is so already.
     *
     * @throws KilnException when a value is not possible, or something was said of a mask that was not given
     */
    Mask over(Mask mask) {
        if ((file == null ? 0 : 1) + (alpha ? 1 : 0) + (outpaint == null ? 0 : 1) > 1) {
            throw KilnException.badRequest("--mask, --mask-alpha and --outpaint all say what the mask is: give one");
        }
        if (!isGiven()) {
            if (blur != null || outpaintPixels != null || fill != null || onlyMasked || padding != null || inverted || soft) {
                throw KilnException.badRequest(
                        "something is said of a mask, but there is none: give --mask FILE, --mask-alpha or --outpaint SIDES");
            }
            return null;
        }
        return new Mask(
                mask.file(),
                mask.outpainting(),
                blur == null ? mask.blur() : blur,
                inverted || mask.inverted(),
                fill == null ? mask.fill() : fill(),
                onlyMasked || mask.onlyMasked(),
                padding == null ? mask.padding() : padding,
                soft || mask.soft());
    }

    private Outpainting outpainting() {
        List<String> sides = outpaint.stream().map(side -> side.strip().toLowerCase(Locale.ROOT)).toList();
        sides.stream().filter(side -> !SIDES.contains(side)).findFirst().ifPresent(side -> {
            throw KilnException.badRequest(
                    "no side is called \"" + side + "\"" + NearestName.hint(side, SIDES) + " (" + String.join(", ", SIDES) + ")");
        });
        return new Outpainting(
                outpaintPixels == null ? Outpainting.USUAL_PIXELS : outpaintPixels,
                sides.contains("left"),
                sides.contains("right"),
                sides.contains("up"),
                sides.contains("down"));
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
