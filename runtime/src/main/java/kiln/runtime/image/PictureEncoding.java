package kiln.runtime.image;

import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * How pictures are written; the settings of A1111 {@code samples_format}, {@code jpeg_quality} and {@code webp_lossless}.
 *
 * @param quality of a JPEG or a lossy WebP, 1 to 100
 * @param lossless of a WebP
 */
public record PictureEncoding(PictureFormat format, int quality, boolean lossless) {
    public static final int USUAL_QUALITY = 80;
    public static final PictureEncoding PNG = new PictureEncoding(PictureFormat.PNG, USUAL_QUALITY, false);

    public PictureEncoding {
        Objects.requireNonNull(format, "format");
        if (!format.isWritten()) {
            throw KilnException.badRequest(format + " is read only: pictures are written as " + PictureFormat.writtenEndings());
        }
        if (quality < 1 || quality > 100) {
            throw KilnException.badRequest("JPEG quality " + quality + " is outside 1 to 100");
        }
    }

    /** The same in another format. */
    public PictureEncoding as(PictureFormat other) {
        return new PictureEncoding(other, quality, lossless);
    }
}
