package kiln.runtime.image;

import kiln.runtime.base.KilnException;

/** From the autoencoder's output, floats in -1…1, to 8-bit pictures, rounded as torch rounds (halves to even). Stateless. */
public final class DecodedPictures {
    private DecodedPictures() {}

    /** From {@code [3, height, width]} that begins at {@code offset}: picture i of a batch begins at {@code i * 3 * height * width}. */
    public static Picture fromPlanar(float[] values, int offset, int height, int width) {
        int pixels = checkRange(values, offset, height, width);
        byte[] rgb = new byte[3 * pixels];
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < pixels; i++) {
                rgb[3 * i + c] = toByte(values[offset + c * pixels + i]);
            }
        }
        return new Picture(width, height, rgb);
    }

    /** From {@code [height, width, 3]} that begins at {@code offset}. */
    public static Picture fromInterleaved(float[] values, int offset, int height, int width) {
        int pixels = checkRange(values, offset, height, width);
        byte[] rgb = new byte[3 * pixels];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = toByte(values[offset + i]);
        }
        return new Picture(width, height, rgb);
    }

    private static int checkRange(float[] values, int offset, int height, int width) {
        int pixels = Math.multiplyExact(height, width);
        if (offset < 0 || values.length - offset < 3L * pixels) {
            throw new IllegalArgumentException(
                    "a picture of " + width + "x" + height + " at " + offset + " is not inside " + values.length + " values");
        }
        return pixels;
    }

    private static byte toByte(float value) {
        if (Float.isNaN(value)) {
            throw new KilnException(
                    KilnException.Category.DEVICE, "the decoder gave values that are not numbers: the picture needs f32 precision");
        }
        float unit = Math.max(0, Math.min(1, value * 0.5f + 0.5f));
        return (byte) (int) Math.rint(unit * 255f);
    }
}
