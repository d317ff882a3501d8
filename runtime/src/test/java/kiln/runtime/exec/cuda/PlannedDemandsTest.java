package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;
import kiln.runtime.WeightFormat;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.StableDiffusion15;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkDemands;
import kiln.runtime.plan.ResidencyPlan;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code kiln plan} counts from shapes what the programs that run then ask for. */
class PlannedDemandsTest {
    private static final Map<String, List<Integer>> SHAPES = StableDiffusion15.shapes();
    private static final Checkpoint SIZES = Checkpoint.infer(SHAPES::get);

    private static NetworkDemand programs(Graph graph, Card card, WeightFormat format) {
        DataType type = format == WeightFormat.F32 ? DataType.F32 : DataType.F16;
        NetworkPrograms programs = new NetworkPrograms("network");
        programs.add(ProgramChoice.of(graph, new DeviceTarget(card, type, format == WeightFormat.INT8), DeviceLibraries.none(), false));
        return programs.demand();
    }

    private static void assertPlanned(Graph graph, Card card, WeightFormat format) {
        NetworkDemand planned = NetworkDemands.of("network", graph, format);
        NetworkDemand asked = programs(graph, card, format);
        // Tables that programs bring along, of kilobytes.
        assertThat(asked.weightBytes()).isCloseTo(planned.weightBytes(), within(64L << 10));
        assertThat(asked.arenaBytes() - planned.arenaBytes())
                .as("what kernels need beside the results has room in the margin")
                .isBetween(0L, ResidencyPlan.MARGIN_BYTES);
        assertThat(asked.flops()).isEqualTo(planned.flops());
    }

    @ParameterizedTest
    @CsvSource({"50, 5, F16", "61, 3, F16", "61, 20, F32", "61, 5, INT8", "75, 14, F16", "86, 20, F16", "90, 132, F16"})
    void theDenoisersProgramAsksForWhatIsPlanned(int capability, int multiprocessors, WeightFormat format) {
        assertPlanned(SIZES.unet().graph(SHAPES::get, 2, 64, 64, 77, 1), new Card(capability, multiprocessors), format);
    }

    @Test
    void theTextEncodersProgramAsksForWhatIsPlanned() {
        for (WeightFormat format : WeightFormat.values()) {
            assertPlanned(SIZES.text().graph(SHAPES::get, 1, 77, 1), new Card(61, 5), format);
        }
    }
}
