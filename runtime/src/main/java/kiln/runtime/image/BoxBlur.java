package kiln.runtime.image;

/**
 * Pillow's GaussianBlur: three box blurs along the rows, then three along the columns, with boxes whose outermost pixels count in part
 * (Gwosdek and others 2011, "Theoretical foundations of Gaussian convolution by extended box filtering"), each rounded to 8 bits; beyond
 * the edge its pixel goes on.
 */
final class BoxBlur {
    private static final int PASSES = 3;
    private static final int FRACTION_BITS = 24;

    private BoxBlur() {}

    /** @param values {@code [height, width, channels]}; overwritten with the result */
    static void blur(byte[] values, int width, int height, int channels, int radius) {
        if (radius == 0) {
            return;
        }
        float box = boxRadius(radius);
        byte[] line = new byte[Math.max(width, height)];
        for (int channel = 0; channel < channels; channel++) {
            for (int y = 0; y < height; y++) {
                lines(values, y * width * channels + channel, channels, width, box, line);
            }
            for (int x = 0; x < width; x++) {
                lines(values, x * channels + channel, width * channels, height, box, line);
            }
        }
    }

    /** The box, in pixels to each side, of which so many make a Gaussian of that standard deviation. */
    private static float boxRadius(float deviation) {
        float variance = deviation * deviation / PASSES;
        float length = (float) Math.sqrt(12.0 * variance + 1.0);
        float whole = (float) Math.floor((length - 1.0) / 2.0);
        float part = (float) ((2 * whole + 1) * (whole * (whole + 1) - 3.0 * variance));
        part = (float) (part / (6.0 * (variance - (whole + 1) * (whole + 1))));
        return whole + part;
    }

    private static void lines(byte[] values, int start, int stride, int length, float box, byte[] line) {
        int radius = (int) box;
        long weight = (long) ((1 << FRACTION_BITS) / (box * 2 + 1));
        long edgeWeight = ((1 << FRACTION_BITS) - (2L * radius + 1) * weight) / 2;
        for (int pass = 0; pass < PASSES; pass++) {
            for (int i = 0; i < length; i++) {
                line[i] = values[start + i * stride];
            }
            long sum = 0;
            for (int k = -radius - 1; k < radius; k++) {
                sum += at(line, k, length);
            }
            for (int i = 0; i < length; i++) {
                int before = at(line, i - radius - 1, length);
                int after = at(line, i + radius + 1, length);
                sum += at(line, i + radius, length) - before;
                long total = sum * weight + (before + after) * edgeWeight;
                values[start + i * stride] = (byte) (total + (1 << FRACTION_BITS - 1) >> FRACTION_BITS);
            }
        }
    }

    private static int at(byte[] line, int place, int length) {
        return line[Math.max(0, Math.min(length - 1, place))] & 255;
    }
}
