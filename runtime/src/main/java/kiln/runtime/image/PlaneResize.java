package kiln.runtime.image;

/**
 * Planes of numbers at another size, as torch's {@code interpolate} makes them with {@code align_corners=False}. Latents are enlarged so
 * between the passes of a hires fix.
 */
public enum PlaneResize {
    NEAREST,
    NEAREST_EXACT,
    BILINEAR,
    /** Wider where a plane shrinks, so that nothing is left out. */
    BILINEAR_ANTIALIASED,
    BICUBIC,
    BICUBIC_ANTIALIASED;

    private static final double CUBIC = -0.75;
    private static final double CUBIC_ANTIALIASED = -0.5;

    /** What each place of a side of {@code to} takes from a side of {@code from}: places and their weights. */
    private record Taps(int[][] places, float[][] weights) {}

    /**
     * @param planes {@code [planes, height, width]}
     * @return {@code [planes, toHeight, toWidth]}
     */
    public float[] resize(float[] planes, int height, int width, int toHeight, int toWidth) {
        Taps rows = taps(height, toHeight);
        Taps columns = taps(width, toWidth);
        int count = planes.length / (height * width);
        float[] wide = new float[count * height * toWidth];
        for (int row = 0; row < count * height; row++) {
            for (int x = 0; x < toWidth; x++) {
                float sum = 0;
                for (int k = 0; k < columns.places[x].length; k++) {
                    sum += planes[row * width + columns.places[x][k]] * columns.weights[x][k];
                }
                wide[row * toWidth + x] = sum;
            }
        }
        float[] resized = new float[count * toHeight * toWidth];
        for (int plane = 0; plane < count; plane++) {
            for (int y = 0; y < toHeight; y++) {
                for (int k = 0; k < rows.places[y].length; k++) {
                    int from = (plane * height + rows.places[y][k]) * toWidth;
                    int to = (plane * toHeight + y) * toWidth;
                    for (int x = 0; x < toWidth; x++) {
                        resized[to + x] += wide[from + x] * rows.weights[y][k];
                    }
                }
            }
        }
        return resized;
    }

    private Taps taps(int from, int to) {
        int[][] places = new int[to][];
        float[][] weights = new float[to][];
        double scale = (double) from / to;
        for (int i = 0; i < to; i++) {
            double middle = scale * (i + 0.5);
            switch (this) {
                case NEAREST -> {
                    places[i] = new int[] {Math.min((int) Math.floor(i * (float) scale), from - 1)};
                    weights[i] = new float[] {1};
                }
                case NEAREST_EXACT -> {
                    places[i] = new int[] {Math.min((int) Math.floor((float) middle), from - 1)};
                    weights[i] = new float[] {1};
                }
                case BILINEAR -> {
                    double at = Math.max(0, middle - 0.5);
                    int low = Math.min((int) at, from - 1);
                    places[i] = new int[] {low, Math.min(low + 1, from - 1)};
                    weights[i] = new float[] {(float) (1 - (at - low)), (float) (at - low)};
                }
                case BICUBIC -> {
                    int low = (int) Math.floor(middle - 0.5);
                    places[i] = new int[4];
                    weights[i] = new float[4];
                    for (int k = 0; k < 4; k++) {
                        places[i][k] = Math.max(0, Math.min(low - 1 + k, from - 1));
                        weights[i][k] = (float) cubic(middle - 0.5 - (low - 1 + k), CUBIC);
                    }
                }
                default -> antialiased(from, scale, i, places, weights);
            }
        }
        return new Taps(places, weights);
    }

    private void antialiased(int from, double scale, int i, int[][] places, float[][] weights) {
        double stretch = Math.max(scale, 1);
        double support = (this == BILINEAR_ANTIALIASED ? 1 : 2) * stretch;
        double middle = scale * (i + 0.5);
        int first = Math.max((int) (middle - support + 0.5), 0);
        int end = Math.min((int) (middle + support + 0.5), from);
        places[i] = new int[end - first];
        weights[i] = new float[end - first];
        double sum = 0;
        double[] exact = new double[end - first];
        for (int k = 0; k < exact.length; k++) {
            double distance = (first + k - middle + 0.5) / stretch;
            exact[k] = this == BILINEAR_ANTIALIASED ? Math.max(0, 1 - Math.abs(distance)) : cubic(distance, CUBIC_ANTIALIASED);
            sum += exact[k];
        }
        for (int k = 0; k < exact.length; k++) {
            places[i][k] = first + k;
            weights[i][k] = (float) (exact[k] / sum);
        }
    }

    /** Keys' cubic convolution kernel. */
    private static double cubic(double x, double a) {
        double d = Math.abs(x);
        if (d <= 1) {
            return ((a + 2) * d - (a + 3)) * d * d + 1;
        }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }
}
