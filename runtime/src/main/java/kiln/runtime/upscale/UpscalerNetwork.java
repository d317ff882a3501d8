package kiln.runtime.upscale;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.ModelException;

/**
 * A network that makes pictures larger, as data.
 *
 * @param kind for people: "ESRGAN, 23 blocks"
 * @param scale how many times larger the sides become
 * @param joined side of the square of pixels that becomes one of the network's, colour by colour
 * @param spread side of the square of pixels that one of the network's becomes, colour by colour; these are added to the picture itself
 *     where it is not 1
 * @param graph of the network for a picture of its own pixels: input and output are called {@code image}
 * @param bands the same in two parts; {@code null} where it is all of one piece
 */
record UpscalerNetwork(String kind, int scale, int joined, int spread, Writer graph, Bands bands) {
    /** Writes a graph. */
    @FunctionalInterface
    interface Writer {
        Graph write(int height, int width);
    }

    /**
     * A part at the small size, and one that goes to the large size and can be computed some rows at a time.
     *
     * @param body input {@code image}, output {@code features}
     * @param tail input {@code features}, output {@code image}
     * @param reach how many rows of the features above and below its own a row of the tail depends on
     */
    record Bands(Writer body, Writer tail, int reach) {}

    /** @throws kiln.runtime.graph.ModelException when tensors are missing or do not fit */
    static UpscalerNetwork of(Function<String, List<Integer>> shapes) {
        if (shapes.apply(RrdbNet.FIRST) == null) {
            CompactNet net = CompactNet.infer(shapes);
            String kind = "compact, " + (net.last() / 2 + 1) + " convolutions";
            return new UpscalerNetwork(kind, net.scale(), 1, net.scale(), (h, w) -> net.graph(shapes, h, w), null);
        }
        RrdbNet net = RrdbNet.infer(shapes);
        int joined = (int) Math.sqrt(net.channels() / 3);
        if (joined < 1 || 3 * joined * joined != net.channels() || (1 << net.doublings()) % joined != 0) {
            throw new ModelException(net.channels() + " channels and " + net.doublings() + " doublings are no upscaler of pictures");
        }
        return new UpscalerNetwork(
                "ESRGAN, " + net.blocks() + (net.blocks() == 1 ? " block" : " blocks"),
                (1 << net.doublings()) / joined,
                joined,
                1,
                (h, w) -> net.graph(shapes, h, w),
                new Bands((h, w) -> net.body(shapes, h, w), (h, w) -> net.tail(shapes, h, w), net.tailReach()));
    }
}
