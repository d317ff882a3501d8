package kiln.runtime.image;

import java.nio.IntBuffer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NativeLoading;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.leptonica.PIX;
import org.bytedeco.leptonica.PIXCMAP;
import org.bytedeco.leptonica.global.leptonica;

/**
 * The one place where Leptonica is loaded: lazily, once a process. It brings libjpeg-turbo, libwebp and a reader of GIF and BMP, without AWT.
 * Safe from any thread.
 */
final class NativePictures {
    /** Pixels are 32-bit words: red, green, blue, alpha from the top. */
    private static final int DEPTH = 32;
    private static final int WITH_ALPHA = 4;
    private static final int TO_COLOURS = leptonica.REMOVE_CMAP_TO_FULL_COLOR;
    private static final int WITH_ALPHA_COLOUR = leptonica.REMOVE_CMAP_WITH_ALPHA;

    private NativePictures() {}

    /** Loaded on first use; a failure is remembered with its reason. */
    private static final class Library {
        static final String FAILURE;

        static {
            NativeLoading.prepare();
            String failure = null;
            try {
                leptonica.setMsgSeverity(leptonica.L_SEVERITY_NONE);
            } catch (LinkageError | RuntimeException e) {
                failure = e.toString().lines().findFirst().orElse("no reason given");
            }
            FAILURE = failure;
        }
    }

    private static void load() {
        if (Library.FAILURE != null) {
            throw new KilnException(
                    KilnException.Category.DEVICE,
                    "pictures other than PNG are neither read nor written on this machine: their library does not load (" + Library.FAILURE + ")");
        }
    }

    /**
     * @param rgb of the still picture
     * @param alpha {@code null} when everything is opaque
     */
    record Pixels(byte[] rgb, byte[] alpha) {}

    /** Reads the frame's still picture, which has exactly the size that the frame says. */
    static Pixels read(PictureFormat format, PictureFrame frame) throws PictureDamage {
        load();
        byte[] file = frame.still();
        PIX read = switch (format) {
            case JPEG -> leptonica.pixReadMemJpeg(file, file.length, 0, 1, (int[]) null, 0);
            case WEBP -> leptonica.pixReadMemWebP(file, file.length);
            case GIF -> leptonica.pixReadMemGif(file, file.length);
            case BMP -> leptonica.pixReadMemBmp(file, file.length);
            case PNG -> throw new IllegalArgumentException("PNGs have a reader of their own");
        };
        if (read == null) {
            throw new PictureDamage("it is damaged, ends too early or is of a rare kind");
        }
        PIX colours = null;
        PIX words = null;
        try {
            PIXCMAP palette = leptonica.pixGetColormap(read);
            if (palette != null && frame.transparent() >= 0) {
                leptonica.pixcmapSetAlpha(palette, frame.transparent(), 0);
            }
            colours = leptonica.pixRemoveColormap(read, palette != null && frame.transparent() >= 0 ? WITH_ALPHA_COLOUR : TO_COLOURS);
            words = colours == null ? null : leptonica.pixConvertTo32(colours);
            if (words == null) {
                throw new PictureDamage("its colours are of a rare kind");
            }
            if (leptonica.pixGetWidth(words) != frame.stillWidth() || leptonica.pixGetHeight(words) != frame.stillHeight()) {
                throw new PictureDamage("two sizes");
            }
            return pixels(words, leptonica.pixGetSpp(words) == WITH_ALPHA);
        } finally {
            destroy(words);
            destroy(colours);
            destroy(read);
        }
    }

    private static void destroy(PIX picture) {
        if (picture != null) {
            leptonica.pixDestroy(picture);
        }
    }

    private static Pixels pixels(PIX picture, boolean withAlpha) {
        int pixels = leptonica.pixGetWidth(picture) * leptonica.pixGetHeight(picture);
        IntBuffer words = leptonica.pixGetData(picture).capacity(pixels).asBuffer();
        byte[] rgb = new byte[3 * pixels];
        byte[] alpha = withAlpha ? new byte[pixels] : null;
        for (int i = 0; i < pixels; i++) {
            int word = words.get(i);
            rgb[3 * i] = (byte) (word >> 24);
            rgb[3 * i + 1] = (byte) (word >> 16);
            rgb[3 * i + 2] = (byte) (word >> 8);
            if (withAlpha) {
                alpha[i] = (byte) word;
            }
        }
        return new Pixels(rgb, alpha);
    }

    /** A JPEG or a WebP without texts. */
    static byte[] write(Picture picture, PictureEncoding encoding) {
        load();
        PIX pix = leptonica.pixCreate(picture.width(), picture.height(), DEPTH);
        if (pix == null) {
            throw new OutOfMemoryError("a picture of " + picture.width() + "x" + picture.height());
        }
        try (BytePointer data = new BytePointer((BytePointer) null);
                SizeTPointer size = new SizeTPointer(1)) {
            int pixels = picture.width() * picture.height();
            IntBuffer words = leptonica.pixGetData(pix).capacity(pixels).asBuffer();
            byte[] rgb = picture.rgb();
            for (int i = 0; i < pixels; i++) {
                words.put(i, (rgb[3 * i] & 255) << 24 | (rgb[3 * i + 1] & 255) << 16 | (rgb[3 * i + 2] & 255) << 8 | 255);
            }
            boolean jpeg = encoding.format() == PictureFormat.JPEG;
            int status = jpeg
                    ? leptonica.pixWriteMemJpeg(data, size, pix, encoding.quality(), 0)
                    : leptonica.pixWriteMemWebP(data, size, pix, encoding.quality(), encoding.lossless() ? 1 : 0);
            if (status != 0) {
                throw new IllegalStateException("Leptonica wrote no " + encoding.format());
            }
            try {
                byte[] file = new byte[Math.toIntExact(size.get())];
                data.get(file);
                return file;
            } finally {
                leptonica.lept_free(data);
            }
        } finally {
            leptonica.pixDestroy(pix);
        }
    }
}
