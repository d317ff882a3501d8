package kiln.runtime.image;

import kiln.runtime.base.KilnException;

/** How large a picture may be that is read: checked against a file's header, before memory is taken for its pixels. */
public final class PictureLimits {
    public static final int MAX_SIDE = 16_384;
    /** 134 megapixels: 400 MB as RGB. */
    public static final long MAX_PIXELS = 1L << 27;
    /** Bytes of text that a file may hold in all, unpacked. */
    public static final int MAX_TEXT_BYTES = 16 << 20;
    /** Of the file itself: a BMP of that many pixels, with alpha and some texts. */
    static final long MAX_FILE_BYTES = 4 * MAX_PIXELS + (64 << 20);

    private PictureLimits() {}

    /** @throws KilnException {@code CORRUPT_FILE} for a size without pixels or beyond the limits */
    static void check(String name, long width, long height) {
        if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
            throw new KilnException(
                    KilnException.Category.CORRUPT_FILE,
                    name + ": not a readable picture: a size of " + width + "x" + height + "; at most " + MAX_SIDE + " a side and "
                            + MAX_PIXELS + " pixels are read");
        }
    }
}
