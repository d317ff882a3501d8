package kiln.runtime.upscale;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Graph;
import kiln.runtime.image.Picture;
import kiln.runtime.job.Tiling;

/**
 * An upscaler's weights on a device: pictures to larger ones. For one thread at a time. The creator closes it, which also closes the file.
 */
public final class Upscaler implements AutoCloseable {
    /** Graphs kept ready: a whole picture's, a tile's, and those of bands. */
    private static final int MAX_GRAPHS = 4;

    /** Pixels of a band's result: its two widest maps of 64 channels take 256 MiB in 16 bits. */
    private static final int BAND_PIXELS = 1 << 20;

    private final UpscalerFile file;
    private final Executor executor;
    private final LinkedHashMap<Shape, Compiled> graphs = new LinkedHashMap<>(16, 0.75f, true);

    private enum Part {
        WHOLE,
        BODY,
        TAIL
    }

    private record Shape(Part part, int height, int width) {}

    private record Compiled(CompiledGraph graph, double flops) {}

    /**
     * Takes the file over: it is closed here when the device cannot hold the weights.
     *
     * @param executor of the weights; closed with the upscaler
     */
    public Upscaler(UpscalerFile file, Function<WeightSource, Executor> executor) {
        this.file = file;
        try {
            this.executor = executor.apply(file.weights());
        } catch (RuntimeException | LinkageError e) {
            file.close();
            throw e;
        }
    }

    public UpscalerFile file() {
        return file;
    }

    /** What computes, for people. */
    public String device() {
        return executor.description();
    }

    /**
     * The picture with sides {@link UpscalerFile#scale()} times as long.
     *
     * @param progress told the fraction done, 0 to 1; may throw to stop
     * @throws KilnException BAD_REQUEST when the result would be larger than a picture can be
     */
    public Picture upscale(Picture picture, Tiling tiling, DoubleConsumer progress) {
        int scale = file.scale();
        if (3L * scale * picture.width() * scale * picture.height() > Integer.MAX_VALUE - 64) {
            throw KilnException.badRequest("a picture of " + picture.width() + "x" + picture.height() + " pixels is too large to be made "
                    + scale + " times larger");
        }
        if (tiling.side() == 0) {
            return whole(picture, progress);
        }
        TileGrid grid = TileGrid.of(picture.width(), picture.height(), tiling.side(), tiling.overlap());
        int[] done = {0};
        return grid.enlarged(picture, scale, tile -> {
            Picture enlarged = whole(tile, fraction -> progress.accept((done[0] + fraction) / grid.count()));
            done[0]++;
            return enlarged;
        });
    }

    private Picture whole(Picture picture, DoubleConsumer progress) {
        UpscalerNetwork network = file.network();
        int width = scaled(picture.width());
        int height = scaled(picture.height());
        byte[] rgb = new byte[3 * width * height];
        int blocksHigh = PixelBlocks.blocks(picture.height(), network.joined());
        int blocksWide = PixelBlocks.blocks(picture.width(), network.joined());
        float[] image = PixelBlocks.joined(picture, network.joined());
        if (network.bands() != null && (long) width * height > BAND_PIXELS) {
            inBands(image, blocksHigh, blocksWide, rgb, width, height, progress);
        } else {
            float[] result = run(new Shape(Part.WHOLE, blocksHigh, blocksWide), Map.of("image", image), "image", progress, 0, 1);
            int resultWidth = blocksWide * network.joined() * network.scale() / network.spread();
            PixelBlocks.write(result, resultWidth, network.spread(), 0, network.spread() > 1 ? picture : null, rgb, width, 0, height);
        }
        return new Picture(width, height, rgb);
    }

    private int scaled(int side) {
        return file.scale() * side;
    }

    /** The same picture, but its large maps are there some rows at a time. */
    private void inBands(float[] image, int blocksHigh, int blocksWide, byte[] rgb, int width, int height, DoubleConsumer progress) {
        UpscalerNetwork network = file.network();
        int enlarged = network.joined() * network.scale();
        int reach = network.bands().reach();
        int most = Math.max(1, BAND_PIXELS / (enlarged * enlarged * blocksWide) - 2 * reach);
        Shape body = new Shape(Part.BODY, blocksHigh, blocksWide);
        double bodyFlops = compiled(body).flops;
        double tailFlops = graph(new Shape(Part.TAIL, blocksHigh, blocksWide)).flops();
        double share = bodyFlops / (bodyFlops + tailFlops);
        float[] features = run(body, Map.of("image", image), "features", progress, 0, share);
        int perRow = features.length / blocksHigh;
        for (int first = 0; first < blocksHigh; first += most) {
            int rows = Math.min(most, blocksHigh - first);
            int from = Math.max(0, first - reach);
            int to = Math.min(blocksHigh, first + rows + reach);
            float[] band = Arrays.copyOfRange(features, from * perRow, to * perRow);
            double begin = share + (1 - share) * first / blocksHigh;
            float[] result = run(
                    new Shape(Part.TAIL, to - from, blocksWide),
                    Map.of("features", band),
                    "image",
                    progress,
                    begin,
                    (1 - share) * rows / blocksHigh);
            int y = first * enlarged;
            int written = Math.min(height - y, rows * enlarged);
            PixelBlocks.write(result, blocksWide * enlarged, 1, (first - from) * enlarged, null, rgb, width, y, written);
        }
    }

    private float[] run(Shape shape, Map<String, float[]> inputs, String output, DoubleConsumer progress, double begin, double share) {
        Compiled compiled = compiled(shape);
        return compiled.graph.run(inputs, flops -> progress.accept(begin + share * Math.min(1, flops / compiled.flops))).get(output);
    }

    private Compiled compiled(Shape shape) {
        Compiled found = graphs.get(shape);
        if (found == null) {
            while (graphs.size() >= MAX_GRAPHS) {
                graphs.remove(graphs.keySet().iterator().next()).graph.close();
            }
            Graph graph = graph(shape);
            found = new Compiled(executor.compile("upscaler", graph, fraction -> {}), graph.flops());
            graphs.put(shape, found);
        }
        return found;
    }

    private Graph graph(Shape shape) {
        UpscalerNetwork network = file.network();
        UpscalerNetwork.Writer writer = switch (shape.part) {
            case WHOLE -> network.graph();
            case BODY -> network.bands().body();
            case TAIL -> network.bands().tail();
        };
        return writer.write(shape.height, shape.width);
    }

    @Override
    public void close() {
        graphs.values().forEach(each -> each.graph.close());
        graphs.clear();
        executor.close();
        file.close();
    }
}
