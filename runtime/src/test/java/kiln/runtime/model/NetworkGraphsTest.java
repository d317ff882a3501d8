package kiln.runtime.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import org.junit.jupiter.api.Test;

/** Constants that results in 32 bits hardly show: the golden networks would pass with a tenfold epsilon in the transformers. */
class NetworkGraphsTest {
    @Test
    void epsilonsAreThoseOfTheOriginalProgram() {
        try (ModelFiles file = ModelFiles.open(Path.of("demo/kiln-demo.safetensors"))) {
            Checkpoint model = Checkpoint.infer(file::shape);
            assertThat(epsilons(model.unet().graph(file::shape, 1, 8, 8, 77, 1)))
                    .containsExactly("layer norm 1.0E-5", "residual 1.0E-5", "transformer 1.0E-6");
            assertThat(epsilons(model.text().graph(file::shape, 1, 77, 1))).containsExactly("layer norm 1.0E-5");
            assertThat(epsilons(model.vae().decoder(file::shape, 1, 8, 8))).containsExactly("residual 1.0E-6");
            assertThat(epsilons(model.vae().encoder(file::shape, 1, 64, 64))).containsExactly("residual 1.0E-6");
        }
    }

    private static Set<String> epsilons(Graph graph) {
        Set<String> found = new TreeSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.GroupNorm norm) {
                boolean transformer = node.name().matches("(input|output)_blocks\\.\\d+\\.1\\.norm|middle_block\\.1\\.norm");
                found.add((transformer ? "transformer " : "residual ") + norm.epsilon());
            } else if (node.op() instanceof Op.LayerNorm norm) {
                found.add("layer norm " + norm.epsilon());
            }
        }
        return found;
    }
}
