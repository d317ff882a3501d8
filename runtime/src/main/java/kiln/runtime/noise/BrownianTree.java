package kiln.runtime.noise;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One image's Brownian motion over a range of times, as torchsde's BrownianTree gives it: the increment over the whole range is drawn
 * first, and each half of an interval by a Brownian bridge, down to the times that are asked for. Which numbers a place of the tree
 * gets depends on the seed and the place alone, never on what was asked before.
 *
 * <p>Times count to six digits after the point. Not for several threads at once.
 */
final class BrownianTree {
    private static final int DIGITS = 6;
    private static final int POOL_SIZE = 24;
    private static final int ROOT_WORDS = 3;
    private static final int NODE_WORDS = 4;

    /** Increments kept: both ends' ways down the tree, which neighbouring questions share. */
    private static final int KEPT = 48;

    private final long seed;
    private final NoiseOptions options;
    private final int size;
    private final Interval root;
    private final float[] rootIncrement;
    private final Map<Long, float[]> leftIncrements = new LinkedHashMap<>(KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, float[]> eldest) {
            return size() > KEPT;
        }
    };

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
    }

    /** @param size numbers of the image's latent */
    BrownianTree(NoiseOptions options, long seed, int size, double start, double end) {
        this.options = options;
        this.seed = seed;
        this.size = size;
        root = new Interval(rounded(start), rounded(end), 0, 0);
        rootIncrement = normals(new SeedSequence(seed, new long[0], POOL_SIZE).state(ROOT_WORDS)[0]);
        float length = (float) Math.sqrt(end - start);
        for (int i = 0; i < size; i++) {
            rootIncrement[i] *= length;
        }
    }

    static double rounded(double time) {
        return new BigDecimal(time).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
    }

    private float[] normals(int word) {
        float[] normals = new float[size];
        options.source(word & 0xFFFFFFFFL).fill(normals);
        return normals;
    }

    /** Adds the increment from {@code start} to {@code end}, times {@code by}, to a part of {@code target}; times beyond the range count as its ends. */
    void add(double start, double end, float by, float[] target, int offset) {
        double from = rounded(Math.max(root.start, Math.min(root.end, start)));
        double to = rounded(Math.max(root.start, Math.min(root.end, end)));
        if (from < to) {
            float[] sum = null;
            sum = gather(root, rootIncrement, from, to, sum);
            for (int i = 0; i < size; i++) {
                target[offset + i] += sum[i] * by;
            }
        }
    }

    private float[] gather(Interval interval, float[] increment, double from, double to, float[] sum) {
        if (from == interval.start && to == interval.end) {
            return plus(sum, increment);
        }
        double middle = interval.middle();
        float[] left = leftIncrement(interval, increment);
        float[] gathered = sum;
        if (from < middle) {
            gathered = gather(interval.left(), left, from, Math.min(to, middle), gathered);
        }
        if (to > middle) {
            float[] right = new float[size];
            for (int i = 0; i < size; i++) {
                right[i] = increment[i] - left[i];
            }
            gathered = gather(interval.right(), right, Math.max(from, middle), to, gathered);
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
    private float[] leftIncrement(Interval interval, float[] increment) {
        long place = interval.key | 1L << interval.depth;
        float[] known = leftIncrements.get(place);
        if (known != null) {
            return known;
        }
        double before = interval.middle() - interval.start;
        double after = interval.end - interval.middle();
        double whole = 1 / (interval.end - interval.start);
        float[] left = normals(new SeedSequence(seed, new long[] {interval.key, interval.depth}, POOL_SIZE).state(NODE_WORDS)[0]);
        float deviation = (float) Math.sqrt(before * after * whole);
        float share = (float) before;
        float scale = (float) whole;
        for (int i = 0; i < size; i++) {
            left[i] = share * increment[i] * scale + deviation * left[i];
        }
        leftIncrements.put(place, left);
        return left;
    }
}
