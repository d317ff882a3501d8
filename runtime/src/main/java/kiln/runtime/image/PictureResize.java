package kiln.runtime.image;

import java.util.function.DoubleUnaryOperator;

/**
 * Pictures at another size by Lanczos' kernel of three lobes or Keys' cubic one, in the fixed-point arithmetic of Pillow, whose every pixel
 * these are: columns first, then rows, each rounded to 8 bits.
 */
public final class PictureResize {
    private static final Kernel LANCZOS = new Kernel(3, PictureResize::lanczos);
    private static final Kernel BICUBIC = new Kernel(2, PictureResize::cubic);
    /** Bits behind the point of a weight: 8 of a pixel and 2 for sums beyond white leave these of 32. */
    private static final int FRACTION_BITS = 32 - 8 - 2;
    /** Of a long, thin picture what is to be seen is cut out before it is made larger: Pillow's pixels would not fit into the memory. */
    private static final int MOST_PIXELS_TO_CUT = 1 << 26;

    private PictureResize() {}

    /** A function of the distance, which is 0 from {@code support} on. */
    private record Kernel(double support, DoubleUnaryOperator weight) {}

    /** What the places of a side take: from {@code first[i]} on, the weights {@code weights[i]}. */
    private record Taps(int[] first, int[][] weights) {
        static Taps of(Kernel kernel, int from, int to) {
            double scale = (double) from / to;
            double stretch = Math.max(scale, 1);
            double support = kernel.support * stretch;
            int[] first = new int[to];
            int[][] weights = new int[to][];
            for (int i = 0; i < to; i++) {
                double middle = (i + 0.5) * scale;
                first[i] = Math.max((int) (middle - support + 0.5), 0);
                double[] exact = new double[Math.min((int) (middle + support + 0.5), from) - first[i]];
                double sum = 0;
                for (int k = 0; k < exact.length; k++) {
                    exact[k] = kernel.weight.applyAsDouble((k + first[i] - middle + 0.5) / stretch);
                    sum += exact[k];
                }
                weights[i] = new int[exact.length];
                for (int k = 0; k < exact.length; k++) {
                    double weight = exact[k] / sum * (1 << FRACTION_BITS);
                    weights[i][k] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
                }
            }
            return new Taps(first, weights);
        }
    }

    private static double lanczos(double x) {
        return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
    }

    private static double cubic(double x) {
        double d = Math.abs(x);
        if (d < 1) {
            return (1.5 * d - 2.5) * d * d + 1;
        }
        return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }

    /** Stretched to that size. */
    public static Picture lanczos(Picture picture, int width, int height) {
        return resized(LANCZOS, picture, width, height);
    }

    /** Stretched to that size, by Keys' kernel: what Pillow does when nobody names one. */
    public static Picture bicubic(Picture picture, int width, int height) {
        return resized(BICUBIC, picture, width, height);
    }

    private static Picture resized(Kernel kernel, Picture picture, int width, int height) {
        byte[] rgb = picture.rgb();
        int rows = picture.height();
        if (width != picture.width()) {
            Taps taps = Taps.of(kernel, picture.width(), width);
            byte[] wide = new byte[3 * width * rows];
            for (int y = 0; y < rows; y++) {
                for (int x = 0; x < width; x++) {
                    sum(rgb, 3 * (y * picture.width() + taps.first[x]), 3, taps.weights[x], wide, 3 * (y * width + x));
                }
            }
            rgb = wide;
        }
        if (height != rows) {
            Taps taps = Taps.of(kernel, rows, height);
            byte[] high = new byte[3 * width * height];
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    sum(rgb, 3 * (taps.first[y] * width + x), 3 * width, taps.weights[y], high, 3 * (y * width + x));
                }
            }
            rgb = high;
        }
        return new Picture(width, height, rgb);
    }

    private static void sum(byte[] from, int first, int stride, int[] weights, byte[] to, int at) {
        for (int colour = 0; colour < 3; colour++) {
            int sum = 1 << FRACTION_BITS - 1;
            for (int k = 0; k < weights.length; k++) {
                sum += (from[first + k * stride + colour] & 255) * weights[k];
            }
            to[at + colour] = (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
        }
    }

    /** Covers that size, in its own proportions; what stands out is cut off. */
    public static Picture cropped(Picture picture, int width, int height) {
        boolean wider = (double) width / height > (double) picture.width() / picture.height();
        int scaledWidth = wider ? width : (int) ((long) picture.width() * height / picture.height());
        int scaledHeight = wider ? (int) ((long) picture.height() * width / picture.width()) : height;
        if ((long) scaledWidth * scaledHeight > MOST_PIXELS_TO_CUT) {
            int seenWidth = (int) Math.max(1, Math.min(picture.width(), (long) picture.height() * width / height));
            int seenHeight = (int) Math.max(1, Math.min(picture.height(), (long) picture.width() * height / width));
            int left = (picture.width() - seenWidth) / 2;
            int top = (picture.height() - seenHeight) / 2;
            return lanczos(new Box(left, top, left + seenWidth, top + seenHeight).cut(picture), width, height);
        }
        return placed(lanczos(picture, scaledWidth, scaledHeight), width, height);
    }

    /** Fits into that size, in its own proportions; its edges are drawn out to fill the rest. */
    public static Picture filled(Picture picture, int width, int height) {
        boolean wider = (double) width / height < (double) picture.width() / picture.height();
        int scaledWidth = wider ? width : (int) Math.max(1, (long) picture.width() * height / picture.height());
        int scaledHeight = wider ? (int) Math.max(1, (long) picture.height() * width / picture.width()) : height;
        return placed(lanczos(picture, scaledWidth, scaledHeight), width, height);
    }

    /** In the middle of that size, cut off where it is larger and its edges drawn out where it is smaller. */
    private static Picture placed(Picture picture, int width, int height) {
        int left = width / 2 - picture.width() / 2;
        int top = height / 2 - picture.height() / 2;
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            int fromY = Math.max(0, Math.min(picture.height() - 1, y - top));
            for (int x = 0; x < width; x++) {
                int fromX = Math.max(0, Math.min(picture.width() - 1, x - left));
                System.arraycopy(picture.rgb(), 3 * (fromY * picture.width() + fromX), rgb, 3 * (y * width + x), 3);
            }
        }
        return new Picture(width, height, rgb);
    }
}
