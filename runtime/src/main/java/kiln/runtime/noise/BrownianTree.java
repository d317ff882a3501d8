package kiln.runtime.noise;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One image's Brownian motion over a range of times, as torchsde's BrownianTree gives it: the increment over the whole range is drawn
 * first, and each half of an interval by a Brownian bridge, down to the times that are asked for. Which numbers a place of the tree
 * gets depends on the seed and the place alone, never on what was asked before.
 *
 * <p>Times count to six digits after the point, so an end lies some 24 places deep. Not for several threads at once, but the numbers of
 * one question's places are drawn on all cores.
 */
final class BrownianTree {
    private static final int DIGITS = 6;
    private static final int POOL_SIZE = 24;
    private static final int ROOT_WORDS = 3;
    private static final int NODE_WORDS = 4;

    private final long seed;
    private final NoiseOptions options;
    private final int size;
    private final Interval root;
    private final float[] rootIncrement;

    /** Left halves' increments that this question or the one before met: a step begins where the last one ended. */
    private Map<Interval, float[]> met = new HashMap<>();

    private Map<Interval, float[]> metBefore = new HashMap<>();

    /** A place of the tree: {@code key} counts those of a depth from the left. */
    private record Interval(double start, double end, long key, int depth) {
        double middle() {
            return rounded(0.5 * (end + start));
        }

        Interval left() {
            return new Interval(start, middle(), 2 * key, depth + 1);
        }

        Interval right() {
            return new Interval(middle(), end, 2 * key + 1, depth + 1);
        }

        boolean isWithin(double from, double to) {
            return from <= start && end <= to;
        }
    }

    /** @param size numbers of the image's latent */
    BrownianTree(NoiseOptions options, long seed, int size, double start, double end) {
        this.options = options;
        this.seed = seed;
        this.size = size;
        root = new Interval(rounded(start), rounded(end), 0, 0);
        rootIncrement = normals(new long[0], ROOT_WORDS);
        float length = (float) Math.sqrt(end - start);
        for (int i = 0; i < size; i++) {
            rootIncrement[i] *= length;
        }
    }

    static double rounded(double time) {
        return new BigDecimal(time).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
    }

    private float[] normals(long[] place, int words) {
        int word = new SeedSequence(seed, place, POOL_SIZE).state(words)[0];
        float[] normals = new float[size];
        options.source(word & 0xFFFFFFFFL).fill(normals);
        return normals;
    }

    /**
     * Adds the increment from {@code start} to {@code end}, times {@code by}, to a part of {@code target}; times beyond the range count as
     * its ends.
     */
    void add(double start, double end, float by, float[] target, int offset) {
        double from = rounded(Math.max(root.start, Math.min(root.end, start)));
        double to = rounded(Math.max(root.start, Math.min(root.end, end)));
        if (!(from < to)) {
            return;
        }
        metBefore = met;
        met = new HashMap<>();
        Map<Interval, float[]> drawn = draw(from, to);
        float[] sum = gather(root, rootIncrement, from, to, drawn, null);
        for (int i = 0; i < size; i++) {
            target[offset + i] += sum[i] * by;
        }
    }

    /** The normals of all places that a question must split and the last one did not. */
    private Map<Interval, float[]> draw(double from, double to) {
        List<Interval> missing = new ArrayList<>();
        collect(root, from, to, missing);
        List<float[]> normals =
                missing.parallelStream().map(place -> normals(new long[] {place.key, place.depth}, NODE_WORDS)).toList();
        Map<Interval, float[]> drawn = new HashMap<>();
        for (int i = 0; i < missing.size(); i++) {
            drawn.put(missing.get(i), normals.get(i));
        }
        return drawn;
    }

    private void collect(Interval interval, double from, double to, List<Interval> missing) {
        if (interval.isWithin(from, to)) {
            return;
        }
        if (!metBefore.containsKey(interval)) {
            missing.add(interval);
        }
        double middle = interval.middle();
        if (from < middle) {
            collect(interval.left(), from, to, missing);
        }
        if (to > middle) {
            collect(interval.right(), from, to, missing);
        }
    }

    private float[] gather(
            Interval interval, float[] increment, double from, double to, Map<Interval, float[]> drawn, float[] sum) {
        if (interval.isWithin(from, to)) {
            return plus(sum, increment);
        }
        double middle = interval.middle();
        float[] left = leftIncrement(interval, increment, drawn);
        float[] gathered = sum;
        if (from < middle) {
            gathered = gather(interval.left(), left, from, to, drawn, gathered);
        }
        if (to > middle) {
            float[] right = new float[size];
            for (int i = 0; i < size; i++) {
                right[i] = increment[i] - left[i];
            }
            gathered = gather(interval.right(), right, from, to, drawn, gathered);
        }
        return gathered;
    }

    private static float[] plus(float[] sum, float[] increment) {
        if (sum == null) {
            return increment.clone();
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] += increment[i];
        }
        return sum;
    }

    /** The part of an interval's increment that falls on its left half. */
    private float[] leftIncrement(Interval interval, float[] increment, Map<Interval, float[]> drawn) {
        float[] left = metBefore.get(interval);
        if (left == null) {
            left = drawn.get(interval);
            double before = interval.middle() - interval.start;
            double after = interval.end - interval.middle();
            double whole = 1 / (interval.end - interval.start);
            float deviation = (float) Math.sqrt(before * after * whole);
            float share = (float) before;
            float scale = (float) whole;
            for (int i = 0; i < size; i++) {
                left[i] = share * increment[i] * scale + deviation * left[i];
            }
        }
        met.put(interval, left);
        return left;
    }
}
