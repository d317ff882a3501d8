package kiln.runtime.noise;

/**
 * Mixes two noises along the arc between them, so that the mixture is as strong as each (A1111's variation seeds).
 *
 * <p>Weights are computed in double precision: the originals' float32 lies one or two units in the last place to either side.
 */
final class Slerp {
    /** Noises that point the same way are mixed along the chord. */
    private static final double SAME_DIRECTION = 0.9995;

    private Slerp() {}

    /** Mixes {@code part} of {@code other} into {@code noise}; the arc is taken for each column of each channel. */
    static void mix(float[] noise, float[] other, double part, LatentShape shape) {
        int columns = shape.channels() * shape.width();
        double[] cosines = new double[columns];
        double sum = 0;
        for (int column = 0; column < columns; column++) {
            cosines[column] = cosine(noise, other, shape, start(column, shape));
            sum += cosines[column];
        }
        boolean chord = sum / columns > SAME_DIRECTION;
        for (int column = 0; column < columns; column++) {
            double omega = Math.acos(cosines[column]);
            double keep = Math.sin((1 - part) * omega) / Math.sin(omega);
            double take = Math.sin(part * omega) / Math.sin(omega);
            if (chord) {
                // In the original's order: the part is the first noise's.
                keep = part;
                take = 1 - part;
            } else if (!Double.isFinite(keep) || !Double.isFinite(take)) {
                keep = 1 - part;
                take = part;
            }
            int at = start(column, shape);
            for (int y = 0; y < shape.height(); y++, at += shape.width()) {
                noise[at] = (float) keep * noise[at] + (float) take * other[at];
            }
        }
    }

    private static int start(int column, LatentShape shape) {
        return column / shape.width() * shape.height() * shape.width() + column % shape.width();
    }

    private static double cosine(float[] a, float[] b, LatentShape shape, int start) {
        double product = 0;
        double squaresA = 0;
        double squaresB = 0;
        for (int y = 0, at = start; y < shape.height(); y++, at += shape.width()) {
            product += (double) a[at] * b[at];
            squaresA += (double) a[at] * a[at];
            squaresB += (double) b[at] * b[at];
        }
        return product / Math.sqrt(squaresA * squaresB);
    }
}
