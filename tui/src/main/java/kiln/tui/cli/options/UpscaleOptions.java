package kiln.tui.cli.options;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.Tiling;
import kiln.runtime.job.UpscaleRequest;
import picocli.CommandLine.Option;

/** How pictures are made larger, as options. */
public final class UpscaleOptions {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6})[xX×](\\d{1,6})");

    @Option(
            names = "--upscaler",
            paramLabel = "NAME",
            description = "None, Lanczos, Nearest, one that kiln upscalers lists, or a file. Default: Lanczos.")
    String upscaler = "Lanczos";

    @Option(names = "--scale", paramLabel = "X", description = "How many times larger. Default: 4.")
    Double scale;

    @Option(
            names = "--resize",
            paramLabel = "WxH",
            description = "A size in pixels in place of --scale, which the picture covers and is cut to.")
    String size;

    @Option(names = "--no-crop", description = "With --resize: leave what is larger than the size.")
    boolean noCrop;

    @Option(
            names = "--tile",
            paramLabel = "N",
            description = "Side of the squares that an upscaler sees at a time, in pixels; 0 for the whole picture. Default: 192.")
    Integer tile;

    @Option(names = "--tile-overlap", paramLabel = "N", description = "Pixels over which squares are faded into each other. Default: 8.")
    Integer overlap;

    /** @throws KilnException BAD_REQUEST when a value is outside its range */
    public UpscaleRequest request() {
        int side = tile == null ? Tiling.DEFAULT.side() : tile;
        Tiling tiling = new Tiling(side, overlap != null ? overlap : side == 0 ? 0 : Math.min(Tiling.DEFAULT.overlap(), side / 2));
        if (size == null) {
            return UpscaleRequest.by(upscaler, scale == null ? UpscaleRequest.USUAL_SCALE : scale, tiling);
        }
        if (scale != null) {
            throw KilnException.badRequest("--scale and --resize contradict each other: give one");
        }
        Matcher match = SIZE.matcher(size.strip());
        if (!match.matches()) {
            throw KilnException.badRequest("--resize " + size + ": width x height is needed, as 1024x768");
        }
        return UpscaleRequest.to(upscaler, Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)), !noCrop, tiling);
    }
}
