package kiln.runtime.exec.cuda.program;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;
import kiln.runtime.base.KilnException;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.SeamlessTiling;
import kiln.runtime.graph.Shape;
import org.junit.jupiter.api.Test;

class LoweringTest {
    @Test
    void seamlessPicturesAreRefusedInOneLine() {
        Map<String, List<Integer>> shapes = Map.of("conv.weight", List.of(8, 8, 3, 3), "conv.bias", List.of(8));
        GraphBuilder g = new GraphBuilder(shapes::get, "");
        g.output("out", g.conv3x3("conv", g.input("in", new Shape(1, 8, 8, 8))));
        Graph tiled = SeamlessTiling.of(g.build());
        DeviceTarget target = new DeviceTarget(Card.of(86), DataType.F16, DataType.F16);
        assertThatThrownBy(() -> Lowering.lower(tiled, target))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("--executor onednn")
                .hasMessageNotContaining("\n");
    }
}
