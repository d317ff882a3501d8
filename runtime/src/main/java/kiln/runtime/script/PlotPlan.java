package kiln.runtime.script;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;

/**
 * An X/Y/Z plot: a request for each place of a grid of up to three axes.
 *
 * @param x from left to right
 * @param y from top to bottom
 * @param z from grid to grid
 * @param cells in the order in which they are drawn: the axis that is dearest to change is the outermost loop
 */
public record PlotPlan(Dimension x, Dimension y, Dimension z, List<Cell> cells) {
    private static final int MOST_CELLS = 10_000;

    /**
     * An axis with its values.
     *
     * @param text as they were written
     * @param values as they are used: random seeds are drawn
     */
    public record Dimension(Axis axis, String text, List<?> values) {
        public static final Dimension NOTHING = of(Axis.NOTHING, "");

        public Dimension {
            values = List.copyOf(values);
        }

        public static Dimension of(Axis axis, String text) {
            return new Dimension(axis, text, axis.reader().read(axis.label(), text));
        }

        public int size() {
            return values.size();
        }

        /** What the grid says at each value. */
        public List<String> captions() {
            return values.stream().map(axis::caption).toList();
        }

        private boolean isOfSeeds() {
            return axis.label().equals("Seed") || axis.label().equals("Var. seed");
        }

        private Dimension seeded(LongSupplier seeds) {
            if (!isOfSeeds()) {
                return this;
            }
            return new Dimension(axis, text, values.stream().map(seed -> (Long) seed < 0 ? (Object) seeds.getAsLong() : seed).toList());
        }
    }

    /** A place in the grid. */
    public record Cell(int x, int y, int z, GenerationRequest request) {}

    /**
     * What A1111's page has below the axes.
     *
     * @param keepsRandomSeeds each cell draws its own where the seed is -1; else one is drawn for all
     * @param variesByX the seed grows along x; so for y and z
     */
    public record Seeds(boolean keepsRandomSeeds, boolean variesByX, boolean variesByY, boolean variesByZ) {
        public static final Seeds USUAL = new Seeds(false, false, false, false);
    }

    public PlotPlan {
        cells = List.copyOf(cells);
    }

    /**
     * @param random draws seeds
     * @throws KilnException {@code BAD_REQUEST} when an axis refuses a value, or there are too many
     */
    public static PlotPlan of(
            GenerationRequest base, Dimension x, Dimension y, Dimension z, Seeds seeds, Axis.Names names, LongSupplier random) {
        long count = (long) x.size() * y.size() * z.size();
        if (count > MOST_CELLS) {
            throw KilnException.badRequest("the plot has " + count + " cells: at most " + MOST_CELLS + " are taken");
        }
        GenerationRequest fixed = seeds.keepsRandomSeeds ? base : fixed(base, random);
        Dimension[] axes = {x, y, z};
        if (!seeds.keepsRandomSeeds) {
            for (int i = 0; i < axes.length; i++) {
                axes[i] = axes[i].seeded(random);
            }
        }
        List<Cell> cells = new ArrayList<>();
        for (int[] at : order(axes)) {
            GenerationRequest request = fixed;
            for (int i = 0; i < axes.length; i++) {
                request = axes[i].axis.change().apply(request, axes[i].values.get(at[i]), axes[i].values, names);
            }
            cells.add(new Cell(at[0], at[1], at[2], varied(request, at, axes, seeds)));
        }
        return new PlotPlan(axes[0], axes[1], axes[2], cells);
    }

    /** Both seeds drawn, whether the second is used or not: an axis may come to use it. */
    private static GenerationRequest fixed(GenerationRequest base, LongSupplier random) {
        GenerationRequest.Variation variation = base.variation();
        long second = variation.seed() < 0 ? random.getAsLong() : variation.seed();
        return base.toBuilder()
                .seed(base.seed() < 0 ? random.getAsLong() : base.seed())
                .variation(new GenerationRequest.Variation(
                        second, variation.strength(), variation.resizeFromWidth(), variation.resizeFromHeight()))
                .build();
    }

    /** Every place: the dearest axis changes slowest; among equals z before y before x. */
    private static List<int[]> order(Dimension[] axes) {
        List<Integer> loops = new ArrayList<>(List.of(2, 1, 0));
        loops.sort(Comparator.comparingDouble(i -> -axes[i].axis.cost()));
        List<int[]> places = new ArrayList<>();
        int[] at = new int[axes.length];
        for (int outer = 0; outer < axes[loops.get(0)].size(); outer++) {
            at[loops.get(0)] = outer;
            for (int middle = 0; middle < axes[loops.get(1)].size(); middle++) {
                at[loops.get(1)] = middle;
                for (int inner = 0; inner < axes[loops.get(2)].size(); inner++) {
                    at[loops.get(2)] = inner;
                    places.add(at.clone());
                }
            }
        }
        return places;
    }

    private static GenerationRequest varied(GenerationRequest request, int[] at, Dimension[] axes, Seeds seeds) {
        long width = seeds.variesByX ? axes[0].size() : 1;
        long height = seeds.variesByY ? axes[1].size() : 1;
        long more = (seeds.variesByX ? at[0] : 0) + (seeds.variesByY ? at[1] * width : 0) + (seeds.variesByZ ? at[2] * width * height : 0);
        return more == 0 || request.seed() < 0 ? request : request.toBuilder().seed(request.seed() + more).build();
    }

    /**
     * What the grid's own parameters say beside those of its first picture.
     *
     * @param whole whether it is that of all grids along z
     */
    public Map<String, String> parameters(boolean whole) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("Script", "X/Y/Z plot");
        tell("X", x, parameters);
        tell("Y", y, parameters);
        if (whole) {
            tell("Z", z, parameters);
        }
        return parameters;
    }

    private static void tell(String letter, Dimension dimension, Map<String, String> parameters) {
        if (dimension.axis == Axis.NOTHING) {
            return;
        }
        parameters.put(letter + " Type", dimension.axis.label());
        parameters.put(letter + " Values", dimension.text);
        if (dimension.isOfSeeds() && dimension.values.stream().noneMatch(seed -> (Long) seed < 0)) {
            parameters.put("Fixed " + letter + " Values", String.join(", ", dimension.values.stream().map(Object::toString).toList()));
        }
    }
}
