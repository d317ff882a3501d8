package kiln.runtime.exec.cuda.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Op;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointShapes;
import org.junit.jupiter.api.Test;

/** How many launches group norms take in Stable Diffusion 1.5's networks. */
class NormFusionTest {
    private static final Map<String, List<Integer>> SHAPES = CheckpointShapes.STABLE_DIFFUSION_15.tensors();
    private static final Checkpoint SIZES = Checkpoint.infer(SHAPES::get);

    private static Graph denoiser(int height, int width) {
        return SIZES.unet().graph(SHAPES::get, 2, height, width, 77, 1);
    }

    private static Map<String, Long> launches(Graph graph, int capability, DataType type) {
        DeviceProgram program = Lowering.lower(graph, new DeviceTarget(Card.of(capability), type, type));
        return program.steps().stream()
                .flatMap(step -> step.commands().stream())
                .map(command -> ((DeviceCommand.Launch) command).call().kernel().name())
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    }

    private static long norms(Graph graph) {
        return Fusion.fuse(graph).nodes().stream().filter(node -> node.op() instanceof Op.GroupNorm).count();
    }

    @Test
    void ofTheDenoiserOnTensorCoresOneSmallLaunchIsLeftOfEach() {
        Graph graph = denoiser(64, 64);
        Map<String, Long> launches = launches(graph, 80, DataType.F16);
        assertThat(launches)
                .containsEntry("group_norm_scale", norms(graph))
                .doesNotContainKeys("group_norm_statistics", "group_norm_apply");
    }

    @Test
    void withoutTensorCoresNormsBeforeWindowsArePassesOfTheirOwn() {
        Graph graph = denoiser(64, 64);
        Map<String, Long> launches = launches(graph, 61, DataType.F16);
        assertThat(launches).containsEntry("group_norm_scale", norms(graph)).doesNotContainKey("group_norm_statistics");
        // Two of each residual block, and the last one.
        assertThat(launches.get("group_norm_apply")).isEqualTo(2 * 22 + 1);
    }

    @Test
    void mapsThatAreNoWholeSlicesHaveTheirStatisticsTakenApart() {
        Map<String, Long> launches = launches(denoiser(72, 72), 80, DataType.F16);
        // The lowest level has 9 x 9 positions.
        assertThat(launches.get("group_norm_statistics")).isPositive();
    }

    @Test
    void doublingsLeaveTheirStatisticsThemselvesAndTheirBandsBeginAtEvenRows() {
        for (int capability : new int[] {61, 80}) {
            assertThat(bandRowsOfDoublings(capability, 64, 64, true)).hasSize(3).allSatisfy(rows -> assertThat(rows % 2).isZero());
            // 63, 252 and 1008 positions are no whole slices: a launch behind takes the statistics.
            assertThat(bandRowsOfDoublings(capability, 9, 7, false)).hasSize(3).allSatisfy(rows -> assertThat(rows % 2).isZero());
        }
    }

    private static List<Integer> bandRowsOfDoublings(int capability, int height, int width, boolean inEpilogue) {
        Graph graph = Fusion.fuse(SIZES.vae().decoder(SHAPES::get, 1, height, width));
        DeviceTarget target = new DeviceTarget(Card.of(capability), DataType.F16, DataType.F16);
        NormNeighbours neighbours = new NormNeighbours(graph);
        NormFusion fusion = new NormFusion(graph, neighbours, new ProductChoice(graph, target, DeviceLibraries.none(), neighbours));
        return IntStream.range(0, graph.nodes().size())
                .filter(i -> graph.node(i).op() instanceof Op.Conv2d convolution && convolution.upsample())
                .peek(i -> assertThat(fusion.isInEpilogue(i)).as(graph.node(i).name()).isEqualTo(inEpilogue))
                .mapToObj(fusion::bandRows)
                .toList();
    }
}
