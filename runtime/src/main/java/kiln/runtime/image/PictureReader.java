package kiln.runtime.image;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import kiln.runtime.base.KilnException;

/**
 * Reads pictures of every {@link PictureFormat}, by whomever they are, told apart by content: of an animation the first frame, turned as EXIF
 * says.
 *
 * <p>Sizes are checked against {@link PictureLimits} before memory is taken for pixels. Every fault is one {@link KilnException} that names
 * the file: {@code CORRUPT_FILE}, {@code NOT_FOUND}, {@code STORAGE}, or {@code OUT_OF_MEMORY}. Stateless.
 */
public final class PictureReader {
    private PictureReader() {}

    /**
     * What a file says without its pixels.
     *
     * @param width as shown: turned as EXIF says
     * @param texts as {@link PictureTexts} names them, without hidden ones
     */
    public record Summary(PictureFormat format, int width, int height, Map<String, String> texts) {
        public Summary {
            texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
        }
    }

    /** The format of a file by its first bytes; {@code null} when it is no picture that is read. */
    public static PictureFormat format(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return PictureFormat.of(in.readNBytes(PictureFormat.SIGNATURE_BYTES));
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    public static Summary summary(Path file) {
        return summary(bytes(file), file.toString());
    }

    /** As {@link #summary(Path)}, from memory; {@code name} is for messages. */
    public static Summary summary(byte[] file, String name) {
        PictureFormat format = format(file, name);
        if (format == PictureFormat.PNG) {
            return PngReader.summary(file, name);
        }
        try {
            PictureFrame frame = frame(format, file);
            boolean swapped = Orientation.isSwapped(frame.orientation());
            return new Summary(
                    format, swapped ? frame.height() : frame.width(), swapped ? frame.width() : frame.height(), frame.texts());
        } catch (PictureDamage e) {
            throw corrupt(name, format, e);
        }
    }

    public static DecodedPicture read(Path file) {
        return read(bytes(file), file.toString());
    }

    /** As {@link #read(Path)}, from memory; {@code name} is for messages. */
    public static DecodedPicture read(byte[] file, String name) {
        PictureFormat format = format(file, name);
        try {
            DecodedPicture read = format == PictureFormat.PNG ? PngReader.decode(file, name) : decode(format, file, name);
            String hidden = StealthText.read(read.picture(), read.alpha());
            if (hidden == null) {
                return read;
            }
            Map<String, String> texts = new LinkedHashMap<>(read.texts());
            texts.put(PictureTexts.STEALTH, hidden);
            return new DecodedPicture(read.picture(), read.alpha(), texts);
        } catch (PictureDamage e) {
            throw corrupt(name, format, e);
        } catch (OutOfMemoryError e) {
            throw new KilnException(
                    KilnException.Category.OUT_OF_MEMORY,
                    name + ": the picture does not fit into the memory that Java may use (" + (Runtime.getRuntime().maxMemory() >> 20) + " MiB)", e);
        }
    }

    private static PictureFormat format(byte[] file, String name) {
        PictureFormat format = PictureFormat.of(file);
        if (format == null) {
            throw new KilnException(
                    KilnException.Category.CORRUPT_FILE, name + ": not a picture that is read (PNG, JPEG, WebP, GIF or BMP)");
        }
        return format;
    }

    private static PictureFrame frame(PictureFormat format, byte[] file) throws PictureDamage {
        return switch (format) {
            case JPEG -> JpegFile.read(file);
            case WEBP -> WebPFile.read(file);
            case GIF -> GifFile.read(file);
            case BMP -> BmpFile.read(file);
            case PNG -> throw new IllegalArgumentException("PNGs have a reader of their own");
        };
    }

    private static DecodedPicture decode(PictureFormat format, byte[] file, String name) throws PictureDamage {
        PictureFrame frame = frame(format, file);
        PictureLimits.check(name, frame.width(), frame.height());
        PictureLimits.check(name, frame.stillWidth(), frame.stillHeight());
        if (frame.x() > frame.width() - frame.stillWidth() || frame.y() > frame.height() - frame.stillHeight()) {
            throw new PictureDamage("a frame that is not inside the picture");
        }
        NativePictures.Pixels pixels = onCanvas(frame, NativePictures.read(format, frame));
        int orientation = frame.orientation();
        boolean swapped = Orientation.isSwapped(orientation);
        Picture picture = new Picture(
                swapped ? frame.height() : frame.width(),
                swapped ? frame.width() : frame.height(),
                Orientation.upright(pixels.rgb(), frame.width(), frame.height(), 3, orientation));
        byte[] alpha = Orientation.upright(pixels.alpha(), frame.width(), frame.height(), 1, orientation);
        return new DecodedPicture(picture, alpha, frame.texts());
    }

    /** A frame smaller than its picture leaves the rest transparent. */
    private static NativePictures.Pixels onCanvas(PictureFrame frame, NativePictures.Pixels still) {
        if (frame.stillWidth() == frame.width() && frame.stillHeight() == frame.height()) {
            return still;
        }
        int width = frame.stillWidth();
        byte[] rgb = new byte[3 * frame.width() * frame.height()];
        byte[] alpha = new byte[frame.width() * frame.height()];
        for (int y = 0; y < frame.stillHeight(); y++) {
            int to = (frame.y() + y) * frame.width() + frame.x();
            System.arraycopy(still.rgb(), 3 * y * width, rgb, 3 * to, 3 * width);
            if (still.alpha() == null) {
                Arrays.fill(alpha, to, to + width, (byte) 255);
            } else {
                System.arraycopy(still.alpha(), y * width, alpha, to, width);
            }
        }
        return new NativePictures.Pixels(rgb, alpha);
    }

    private static byte[] bytes(Path file) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            long size = Files.size(file);
            byte[] bytes = size > PictureLimits.MAX_FILE_BYTES ? null : in.readNBytes((int) PictureLimits.MAX_FILE_BYTES + 1);
            if (bytes == null || bytes.length > PictureLimits.MAX_FILE_BYTES) {
                throw new KilnException(
                        KilnException.Category.CORRUPT_FILE,
                        file + ": not a readable picture: more than " + (PictureLimits.MAX_FILE_BYTES >> 20) + " MiB");
            }
            return bytes;
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static KilnException failure(Path file, IOException e) {
        return e instanceof NoSuchFileException
                ? new KilnException(KilnException.Category.NOT_FOUND, file + ": there is no such file", e)
                : new KilnException(KilnException.Category.STORAGE, file + ": cannot be read: " + e.getMessage(), e);
    }

    private static KilnException corrupt(String name, PictureFormat format, PictureDamage damage) {
        return new KilnException(
                KilnException.Category.CORRUPT_FILE, name + ": not a readable " + format + ": " + damage.getMessage(), damage);
    }
}
