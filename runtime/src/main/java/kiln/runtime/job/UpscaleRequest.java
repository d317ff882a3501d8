package kiln.runtime.job;

import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * How a picture is to be made larger, as A1111's Extras have it.
 *
 * @param upscaler its name or its file; "Lanczos" and "Nearest" need none
 * @param scale how many times larger; 0 where a size is asked for
 * @param width asked for, in pixels, with {@code height}; 0 where a scale is asked for
 * @param crop whether what is larger than the size, because it covers it in its own proportions, is cut to it
 */
public record UpscaleRequest(String upscaler, double scale, int width, int height, boolean crop, Tiling tiling) {
    /** As A1111's slider begins. */
    public static final double USUAL_SCALE = 4;

    private static final double LARGEST_SCALE = 16;
    private static final int LARGEST_SIDE = 32768;

    public UpscaleRequest {
        Objects.requireNonNull(upscaler, "upscaler");
        Objects.requireNonNull(tiling, "tiling");
        boolean scaled = width == 0 && height == 0;
        if (scaled && !(scale > 0 && scale <= LARGEST_SCALE)) {
            throw KilnException.badRequest("upscaling by " + scale + ": more than 0 to " + (int) LARGEST_SCALE);
        }
        if (!scaled && (scale != 0 || Math.min(width, height) < 8 || Math.max(width, height) > LARGEST_SIDE)) {
            throw KilnException.badRequest(
                    "upscaling to " + width + "x" + height + ": 8 to " + LARGEST_SIDE + " pixels a side, and no scale besides");
        }
    }

    public static UpscaleRequest by(String upscaler, double scale, Tiling tiling) {
        return new UpscaleRequest(upscaler, scale, 0, 0, false, tiling);
    }

    public static UpscaleRequest to(String upscaler, int width, int height, boolean crop, Tiling tiling) {
        return new UpscaleRequest(upscaler, 0, width, height, crop, tiling);
    }

    /** How many times larger a picture of that size becomes. */
    public double scaleOf(int pictureWidth, int pictureHeight) {
        return width == 0 ? scale : Math.max((double) width / pictureWidth, (double) height / pictureHeight);
    }

    /** What A1111 writes beside a picture's parameters, as "postprocessing". @param name of the upscaler */
    public String postprocessing(String name) {
        String size = width == 0
                ? "Postprocess upscale by: " + (scale == Math.rint(scale) ? Long.toString((long) scale) : Double.toString(scale))
                : "Postprocess upscale to: " + width + "x" + height + (crop ? ", Postprocess crop to: " + width + "x" + height : "");
        return size + ", Postprocess upscaler: " + InfoText.quote(name);
    }
}
