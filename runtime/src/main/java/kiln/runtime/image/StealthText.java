package kiln.runtime.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.IntUnaryOperator;
import java.util.zip.GZIPInputStream;

/**
 * Text hidden in the lowest bits of a picture's pixels, column by column ("stealth PNG info"): in alpha, a bit a pixel, or in red, green and
 * blue, three bits a pixel. A signature of 15 characters says where and whether it is packed, 32 bits how many bits of text follow.
 */
final class StealthText {
    private static final String IN_ALPHA = "stealth_png";
    private static final String IN_COLOURS = "stealth_rgb";
    private static final String PLAIN = "info";
    private static final String PACKED = "comp";
    private static final int SIGNATURE_BYTES = 15;
    private static final int HEADER_BITS = 8 * (SIGNATURE_BYTES + 4);

    private StealthText() {}

    /** {@code null} when there is none or it is damaged. */
    static String read(Picture picture, byte[] alpha) {
        int width = picture.width();
        int height = picture.height();
        String text = null;
        if (alpha != null) {
            text = read(bit -> alpha[bit % height * width + bit / height], (long) width * height, IN_ALPHA);
        }
        if (text == null) {
            byte[] rgb = picture.rgb();
            text = read(bit -> rgb[3 * (bit / 3 % height * width + bit / 3 / height) + bit % 3], 3L * width * height, IN_COLOURS);
        }
        return text;
    }

    /** @param values the byte whose lowest bit is the bit of that number */
    private static String read(IntUnaryOperator values, long bits, String place) {
        if (bits < HEADER_BITS) {
            return null;
        }
        String signature = new String(bytes(values, 0, SIGNATURE_BYTES), StandardCharsets.ISO_8859_1);
        boolean packed = signature.equals(place + PACKED);
        if (!packed && !signature.equals(place + PLAIN)) {
            return null;
        }
        long length = 0;
        for (byte part : bytes(values, 8 * SIGNATURE_BYTES, 4)) {
            length = length << 8 | part & 255;
        }
        if (length > bits - HEADER_BITS || length / 8 > PictureLimits.MAX_TEXT_BYTES) {
            return null;
        }
        byte[] data = bytes(values, HEADER_BITS, (int) (length / 8));
        if (!packed) {
            return new String(data, StandardCharsets.UTF_8);
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(data))) {
            byte[] text = in.readNBytes(PictureLimits.MAX_TEXT_BYTES + 1);
            return text.length > PictureLimits.MAX_TEXT_BYTES ? null : new String(text, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return null;
        }
    }

    private static byte[] bytes(IntUnaryOperator values, int firstBit, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < 8 * count; i++) {
            bytes[i / 8] = (byte) (bytes[i / 8] << 1 | values.applyAsInt(firstBit + i) & 1);
        }
        return bytes;
    }
}
