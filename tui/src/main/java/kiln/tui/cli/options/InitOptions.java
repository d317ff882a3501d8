package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.image.PictureReader;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InitPicture;
import kiln.runtime.job.InitPicture.ResizeMode;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Outpainting;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The picture to begin from, as options. */
public final class InitOptions {
    private static final double USUAL_STRENGTH = 0.75;
    private static final double MOST_PIXELS = 1 << 20;
    private static final int LEAST_SIDE = 64;

    @Option(names = {"-i", "--init", "--init-image"}, paramLabel = "FILE", required = true, description = "The picture to begin from.")
    Path file;

    @Option(
            names = {"--denoising-strength", "--strength"},
            paramLabel = "X",
            description = "0 keeps the picture, 1 draws anew. Default: 0.75.")
    Double strength;

    @Option(
            names = "--resize-mode",
            paramLabel = "MODE",
            description = "How the picture gets the size: resize (stretched), crop or fill. Default: resize.")
    String resizeMode;

    @ArgGroup(validate = false, heading = "%nWhat of it to draw anew:%n", order = 1)
    MaskOptions mask = new MaskOptions();

    /**
     * The same beginning from the picture as A1111's page has it, so that parameters read from a picture say how.
     *
     * @throws KilnException when a file cannot be read
     */
    public GenerationRequest startingWith(GenerationRequest defaults) {
        Path readable = GlobalOptions.readable(file, "picture");
        Mask usual = mask.isGiven() ? mask.usual() : null;
        return defaults.toBuilder().init(new InitPicture(readable, USUAL_STRENGTH, ResizeMode.JUST_RESIZE, usual)).build();
    }

    /**
     * What was given, on top of a request made from {@link #startingWith}.
     *
     * @param picture says whether a size was given
     * @throws KilnException when the picture cannot be read or a name is none
     */
    public void apply(GenerationRequest.Builder request, PictureOptions picture) {
        GenerationRequest before = request.build();
        InitPicture init = before.init();
        Mask changed = mask.over(init.mask());
        request.init(new InitPicture(init.file(), strength == null ? init.denoisingStrength() : strength, mode(), changed));
        if (changed != null && changed.outpainting() != null) {
            if (picture.width != null || picture.height != null) {
                throw KilnException.badRequest("--outpaint says how large the picture becomes: give no width or height");
            }
            PictureReader.Summary summary = PictureReader.summary(init.file());
            Outpainting.Place place = changed.outpainting().place(summary.width(), summary.height());
            request.width(place.width()).height(place.height());
            return;
        }
        boolean onlyMasked = changed != null && changed.onlyMasked();
        if ((picture.width == null || picture.height == null) && !picture.isLike() && !onlyMasked) {
            PictureReader.Summary summary = PictureReader.summary(init.file());
            int[] size = size(summary.width(), summary.height(), picture.width, picture.height);
            request.width(size[0]).height(size[1]);
        }
    }

    /** The picture's own size, or what one given side makes of it, in multiples of 8; no more than a megapixel where none was given. */
    static int[] size(int width, int height, Integer givenWidth, Integer givenHeight) {
        double scale = givenWidth != null ? (double) givenWidth / width
                : givenHeight != null ? (double) givenHeight / height
                : Math.min(1, Math.sqrt(MOST_PIXELS / ((double) width * height)));
        return new int[] {
            givenWidth != null ? givenWidth : side(width * scale), givenHeight != null ? givenHeight : side(height * scale)
        };
    }

    private static int side(double pixels) {
        return (int) Math.max(LEAST_SIDE, Math.min(GenerationRequest.MAX_SIDE, 8 * Math.round(pixels / 8)));
    }

    private ResizeMode mode() {
        if (resizeMode == null) {
            return ResizeMode.JUST_RESIZE;
        }
        String name = resizeMode.strip().toLowerCase(Locale.ROOT);
        List<String> names = List.of("resize", "crop", "fill");
        for (ResizeMode mode : ResizeMode.values()) {
            if (names.get(mode.ordinal()).equals(name) || mode.label().toLowerCase(Locale.ROOT).equals(name)
                    || Integer.toString(mode.ordinal()).equals(name)) {
                return mode;
            }
        }
        String labels = String.join(", ", Arrays.stream(ResizeMode.values()).map(ResizeMode::label).toList());
        throw KilnException.badRequest("no resize mode is called \"" + name + "\"" + NearestName.hint(name, names) + " (" + labels + ")");
    }
}
