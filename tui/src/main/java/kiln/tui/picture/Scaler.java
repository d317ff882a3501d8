package kiln.tui.picture;

import kiln.runtime.image.Picture;

/** Pictures at another size: the mean of the area under each new pixel, whether that is many old ones or a part of one. */
public final class Scaler {
    private Scaler() {}

    public static Picture scale(Picture picture, int width, int height) {
        if (width == picture.width() && height == picture.height()) {
            return picture;
        }
        // First each row to the new width, then each column to the new height: the mean separates.
        float[] rows = new float[width * picture.height() * 3];
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    rows[(y * width + x) * 3 + c] = mean(picture.width(), width, x, picture, y, c);
                }
            }
        }
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            double from = (double) y * picture.height() / height;
            double to = (double) (y + 1) * picture.height() / height;
            for (int i = 0; i < width * 3; i++) {
                double sum = 0;
                for (int source = (int) from; source < Math.min(picture.height(), to); source++) {
                    sum += rows[source * width * 3 + i] * (Math.min(to, source + 1) - Math.max(from, source));
                }
                rgb[y * width * 3 + i] = (byte) Math.round(sum / (to - from));
            }
        }
        return new Picture(width, height, rgb);
    }

    private static float mean(int oldWidth, int newWidth, int x, Picture picture, int y, int channel) {
        double from = (double) x * oldWidth / newWidth;
        double to = (double) (x + 1) * oldWidth / newWidth;
        double sum = 0;
        for (int source = (int) from; source < Math.min(oldWidth, to); source++) {
            int value = picture.rgb()[(y * oldWidth + source) * 3 + channel] & 255;
            sum += value * (Math.min(to, source + 1) - Math.max(from, source));
        }
        return (float) (sum / (to - from));
    }
}
