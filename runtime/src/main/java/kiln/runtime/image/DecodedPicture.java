package kiln.runtime.image;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What a picture file held. The arrays are shared, not copied: do not write to them.
 *
 * @param picture the colours, also of transparent pixels, as the file has them
 * @param alpha a byte a pixel, 0 for nothing to be seen of it, row by row; {@code null} when the file has no transparency
 * @param texts as {@link PictureTexts} gives them
 */
public record DecodedPicture(Picture picture, byte[] alpha, Map<String, String> texts) {
    private static final int WHITE = 0xffffff;

    public DecodedPicture {
        Objects.requireNonNull(picture, "picture");
        if (alpha != null && alpha.length != picture.width() * picture.height()) {
            throw new IllegalArgumentException("alpha of " + alpha.length + " pixels for " + picture.width() + "x" + picture.height());
        }
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    /** The picture, transparent parts over white, as A1111's {@code img2img_background_color} has it by default. */
    public Picture overWhite() {
        return over(WHITE);
    }

    /** The picture, transparent parts over the colour 0xRRGGBB. */
    public Picture over(int background) {
        if (alpha == null) {
            return picture;
        }
        byte[] rgb = new byte[picture.rgb().length];
        for (int i = 0; i < rgb.length; i++) {
            int opacity = alpha[i / 3] & 255;
            int behind = background >> 16 - 8 * (i % 3) & 255;
            rgb[i] = (byte) (((picture.rgb()[i] & 255) * opacity + behind * (255 - opacity) + 127) / 255);
        }
        return new Picture(picture.width(), picture.height(), rgb);
    }
}
