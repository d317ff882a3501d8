package kiln.runtime.image;

/**
 * A mask blurred by a Gaussian kernel along its rows, then along its columns, each rounded to 8 bits; beyond the edge it is mirrored, the
 * edge itself once. In the fixed-point arithmetic of OpenCV, whose every pixel these are: weights of 8 bits behind the point, what rounding
 * one leaves going on to the next.
 */
public final class GaussianBlur {
    private static final int ONE = 256;

    private GaussianBlur() {}

    /** @param sigma in pixels; the kernel reaches 2.5 times as far, as A1111 has it */
    public static GreyPicture blurred(GreyPicture mask, double sigma) {
        if (sigma <= 0) {
            return mask;
        }
        int[] weights = weights(sigma);
        byte[] wide = along(mask.values(), mask.height(), mask.width(), mask.width(), 1, weights);
        return new GreyPicture(mask.width(), mask.height(), along(wide, mask.width(), 1, mask.height(), mask.width(), weights));
    }

    private static int[] weights(double sigma) {
        int reach = (int) (2.5 * sigma + 0.5);
        double[] exact = new double[2 * reach + 1];
        double sum = 0;
        for (int i = 0; i < exact.length; i++) {
            exact[i] = Math.exp(-(i - reach) * (i - reach) / (2 * sigma * sigma));
            sum += exact[i];
        }
        int[] weights = new int[exact.length];
        int middle = ONE;
        double left = 0;
        for (int i = 0; i < reach; i++) {
            double wanted = exact[i] / sum * ONE + left;
            weights[i] = weights[exact.length - 1 - i] = (int) Math.rint(wanted);
            left = wanted - weights[i];
            middle -= 2 * weights[i];
        }
        weights[reach] = middle;
        return weights;
    }

    /** {@code lines} lines, {@code lineStride} apart, of {@code length} pixels, {@code stride} apart. */
    private static byte[] along(byte[] values, int lines, int lineStride, int length, int stride, int[] weights) {
        byte[] blurred = new byte[values.length];
        int reach = weights.length / 2;
        int[] places = new int[length + 2 * reach];
        for (int i = 0; i < places.length; i++) {
            places[i] = stride * mirrored(i - reach, length);
        }
        for (int line = 0; line < lines; line++) {
            int start = line * lineStride;
            for (int i = 0; i < length; i++) {
                int sum = ONE / 2;
                for (int k = 0; k < weights.length; k++) {
                    sum += weights[k] * (values[start + places[i + k]] & 255);
                }
                blurred[start + i * stride] = (byte) (sum / ONE);
            }
        }
        return blurred;
    }

    private static int mirrored(int place, int length) {
        if (length == 1) {
            return 0;
        }
        int period = 2 * (length - 1);
        int at = Math.floorMod(place, period);
        return at < length ? at : period - at;
    }
}
