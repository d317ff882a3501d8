package kiln.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.IntStream;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.model.NetworkShape;
import org.junit.jupiter.api.Test;

class RowBandsTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");

    private static Graph fused(NetworkShape shape) {
        try (ModelFiles files = ModelFiles.open(DEMO)) {
            return Fusion.fuse(files.model().graph(shape));
        }
    }

    private static RowBands bands(Graph fused) {
        return RowBands.of(fused, graph -> node -> Float.BYTES, 1);
    }

    private static long wholeBytes(Graph fused) {
        return MemoryPlan.of(fused, node -> Float.BYTES).arenaBytes();
    }

    /** Five maps of the last level's channels lie side by side in the whole; three in bands: two of a map of twice the channels, one behind its norm. */
    @Test
    void aDecodeTakesThreeFifthsOfItsMemory() {
        Graph decoder = fused(NetworkShape.decoder(1, 64, 64));
        assertThat((double) bands(decoder).arenaBytes() / wholeBytes(decoder)).isBetween(0.55, 0.65);
    }

    @Test
    void anEncodeTakesLess() {
        Graph encoder = fused(NetworkShape.encoder(1, 512, 512));
        assertThat((double) bands(encoder).arenaBytes() / wholeBytes(encoder)).isLessThan(0.7);
    }

    /** Also the middle's attention, whose queries, keys and values are one product. */
    @Test
    void everyNormOfADecodeIsApplied() {
        RowBands bands = bands(fused(NetworkShape.decoder(1, 64, 64)));
        Graph graph = bands.graph();
        assertThat(IntStream.range(0, graph.nodes().size()).filter(i -> graph.node(i).op() instanceof Op.GroupNorm)).allMatch(bands::isApplied);
    }

    @Test
    void severalPicturesAreComputedWhole() {
        Graph denoiser = fused(NetworkShape.denoiser(2, 16, 16, 77));
        RowBands bands = bands(denoiser);
        assertThat(bands.graph().nodes()).isEqualTo(denoiser.nodes());
        assertThat(IntStream.range(0, denoiser.nodes().size()).filter(i -> denoiser.shapeOf(i).batch() > 1))
                .noneMatch(i -> bands.isApplied(i) || bands.isInPlace(i) || bands.isInBands(i));
    }

    @Test
    void bandsOfADoubledMapBeginAtEvenRows() {
        RowBands bands = bands(fused(NetworkShape.decoder(1, 21, 11)));
        Graph graph = bands.graph();
        for (int i = 0; i < graph.nodes().size(); i++) {
            if (graph.node(i).op() instanceof Op.Conv2d convolution && convolution.upsample()) {
                assertThat(bands.isInBands(i)).isTrue();
                assertThat(bands.rows(i)).isEven();
            }
        }
    }

    /** Follows every result from its node to its last reader and has none written over on the way. */
    @Test
    void nothingIsWrittenOverBeforeItIsRead() {
        for (NetworkShape shape : new NetworkShape[] {
            NetworkShape.decoder(1, 24, 40), NetworkShape.encoder(1, 192, 320), NetworkShape.denoiser(1, 16, 16, 77)
        }) {
            RowBands bands = bands(fused(shape));
            Graph graph = bands.graph();
            int count = graph.nodes().size();
            int[] last = new int[count];
            for (int i = 0; i < count; i++) {
                int reader = i;
                Node node = graph.node(i);
                node.reads().forEach(read -> last[read] = Math.max(last[read], reader));
                if (bands.normOf(i) >= 0) {
                    last[bands.sourceOf(i)] = Math.max(last[bands.sourceOf(i)], i);
                }
            }
            graph.outputs().values().forEach(output -> last[output] = count);
            for (int i = 0; i < count; i++) {
                for (int j = i + 1; j <= Math.min(last[i], count - 1); j++) {
                    boolean takesItsPlace = bands.isInPlace(j) && last[i] == j && bands.offset(i) == bands.offset(j);
                    boolean apart = bands.offset(i) + bytes(bands, i) <= bands.offset(j) || bands.offset(j) + bytes(bands, j) <= bands.offset(i);
                    assertThat(apart || takesItsPlace).as("%s: %s and %s", shape.network(), graph.node(i).name(), graph.node(j).name()).isTrue();
                }
            }
        }
    }

    private static long bytes(RowBands bands, int node) {
        long channels = bands.graph().shapeOf(node).channels();
        return (bands.isApplied(node) ? 2 * channels : bands.graph().shapeOf(node).elements()) * Float.BYTES;
    }
}
