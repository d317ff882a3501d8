package kiln.runtime.upscale;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.graph.Graph;

/** The networks of the upscalers that people have, from their sizes alone: what is planned and proven where no file is at hand. */
public final class UsualUpscalers {
    private static final int FEATURES = 64;
    private static final int GROWTH = 32;
    private static final int DENSE_BLOCKS = 3;
    private static final int CONVOLUTIONS = 5;

    private UsualUpscalers() {}

    /**
     * One of each kind, with one block for the many that are alike.
     *
     * @param side of the square that it reads, in pixels
     */
    public static List<Graph> graphs(int side) {
        List<Graph> graphs = new ArrayList<>();
        // Four times larger; and twice, from squares of four pixels.
        for (int channels : new int[] {3, 12}) {
            graphs.add(UpscalerNetwork.of(blocks(channels)::get).graph().write(side, side));
        }
        graphs.add(UpscalerNetwork.of(compact()::get).graph().write(side, side));
        return graphs;
    }

    private static Map<String, List<Integer>> blocks(int channels) {
        Map<String, List<Integer>> shapes = new HashMap<>();
        convolution(shapes, "conv_first", FEATURES, channels);
        for (int i = 1; i <= DENSE_BLOCKS; i++) {
            for (int k = 1; k <= CONVOLUTIONS; k++) {
                convolution(shapes, "body.0.rdb" + i + ".conv" + k, k == CONVOLUTIONS ? FEATURES : GROWTH, FEATURES + (k - 1) * GROWTH);
            }
        }
        for (String module : List.of("conv_body", "conv_up1", "conv_up2", "conv_hr")) {
            convolution(shapes, module, FEATURES, FEATURES);
        }
        convolution(shapes, "conv_last", 3, FEATURES);
        return shapes;
    }

    private static Map<String, List<Integer>> compact() {
        Map<String, List<Integer>> shapes = new HashMap<>();
        convolution(shapes, "body.0", FEATURES, 3);
        shapes.put("body.1.weight", List.of(FEATURES));
        convolution(shapes, "body.2", FEATURES, FEATURES);
        shapes.put("body.3.weight", List.of(FEATURES));
        convolution(shapes, "body.4", 48, FEATURES);
        return shapes;
    }

    private static void convolution(Map<String, List<Integer>> shapes, String module, int to, int from) {
        shapes.put(module + ".weight", List.of(to, from, 3, 3));
        shapes.put(module + ".bias", List.of(to));
    }
}
