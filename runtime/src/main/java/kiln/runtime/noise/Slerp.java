package kiln.runtime.noise;

/** Mixes two noises along the arc between them, so that the mixture is as strong as each (A1111's variation seeds). */
final class Slerp {
    /** Noises that point the same way are mixed along the chord. */
    private static final double SAME_DIRECTION = 0.9995;

    private Slerp() {}

    /** Mixes {@code part} of {@code other} into {@code noise}; the arc is taken for each column of each channel. */
    static void mix(float[] noise, float[] other, double part, LatentShape shape) {
        int columns = shape.channels() * shape.width();
        float[] cosines = new float[columns];
        double sum = 0;
        for (int column = 0; column < columns; column++) {
            cosines[column] = cosine(noise, other, shape, start(column, shape));
            sum += cosines[column];
        }
        boolean chord = sum / columns > SAME_DIRECTION;
        float share = (float) part;
        for (int column = 0; column < columns; column++) {
            float omega = (float) Math.acos(cosines[column]);
            float sine = (float) Math.sin(omega);
            float keep = (float) Math.sin((float) ((1 - part) * omega)) / sine;
            float take = (float) Math.sin((float) (part * omega)) / sine;
            if (chord) {
                // In the original's order: the part is the first noise's.
                keep = share;
                take = 1 - share;
            } else if (!Float.isFinite(keep) || !Float.isFinite(take)) {
                keep = 1 - share;
                take = share;
            }
            int at = start(column, shape);
            for (int y = 0; y < shape.height(); y++, at += shape.width()) {
                noise[at] = keep * noise[at] + take * other[at];
            }
        }
    }

    private static int start(int column, LatentShape shape) {
        return column / shape.width() * shape.height() * shape.width() + column % shape.width();
    }

    private static float cosine(float[] a, float[] b, LatentShape shape, int start) {
        float lengthA = length(a, shape, start);
        float lengthB = length(b, shape, start);
        float sum = 0;
        for (int y = 0, at = start; y < shape.height(); y++, at += shape.width()) {
            sum += a[at] / lengthA * (b[at] / lengthB);
        }
        return sum;
    }

    private static float length(float[] values, LatentShape shape, int start) {
        float sum = 0;
        for (int y = 0, at = start; y < shape.height(); y++, at += shape.width()) {
            sum += values[at] * values[at];
        }
        return (float) Math.sqrt(sum);
    }
}
