package kiln.runtime.image;

import java.util.Objects;

/** A byte a pixel, row by row from the top: a mask, white (255) where something shall happen. The array is shared: do not write to it. */
public record GreyPicture(int width, int height, byte[] values) {
    public GreyPicture {
        Objects.requireNonNull(values, "values");
        if (width < 1 || height < 1 || values.length != (long) width * height) {
            throw new IllegalArgumentException("a mask of " + width + "x" + height + ", found " + values.length + " bytes");
        }
    }

    /** A picture's brightness, as ITU-R 601 weighs its colours, in Pillow's fixed-point arithmetic. */
    public static GreyPicture luminance(Picture picture) {
        byte[] rgb = picture.rgb();
        byte[] values = new byte[rgb.length / 3];
        for (int i = 0; i < values.length; i++) {
            int sum = 19595 * (rgb[3 * i] & 255) + 38470 * (rgb[3 * i + 1] & 255) + 7471 * (rgb[3 * i + 2] & 255);
            values[i] = (byte) (sum + 0x8000 >> 16);
        }
        return new GreyPicture(picture.width(), picture.height(), values);
    }

    /** The same grey in all three colours; its {@link #luminance} is this again. */
    public Picture picture() {
        byte[] rgb = new byte[3 * values.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = values[i / 3];
        }
        return new Picture(width, height, rgb);
    }

    /** 0 to 255. */
    public int at(int x, int y) {
        return values[Objects.checkIndex(y, height) * width + Objects.checkIndex(x, width)] & 255;
    }

    public GreyPicture inverted() {
        byte[] inverted = new byte[values.length];
        for (int i = 0; i < inverted.length; i++) {
            inverted[i] = (byte) ~values[i];
        }
        return new GreyPicture(width, height, inverted);
    }

    /** White where it is brighter than {@code threshold}, else black. */
    public GreyPicture brighterThan(int threshold) {
        byte[] binary = new byte[values.length];
        for (int i = 0; i < binary.length; i++) {
            binary[i] = (byte) ((values[i] & 255) > threshold ? 255 : 0);
        }
        return new GreyPicture(width, height, binary);
    }

    /** Twice as bright, at most white. */
    public GreyPicture doubled() {
        byte[] doubled = new byte[values.length];
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] = (byte) Math.min(255, 2 * (values[i] & 255));
        }
        return new GreyPicture(width, height, doubled);
    }

    /** Around all that is not black; {@code null} where all is. */
    public Box bounds() {
        int left = width;
        int right = 0;
        int top = height;
        int bottom = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                if (values[y * width + x] != 0) {
                    left = Math.min(left, x);
                    right = Math.max(right, x + 1);
                    top = Math.min(top, y);
                    bottom = y + 1;
                }
            }
        }
        return bottom == 0 ? null : new Box(left, top, right, bottom);
    }
}
