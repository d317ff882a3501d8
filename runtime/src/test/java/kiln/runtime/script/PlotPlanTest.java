package kiln.runtime.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.script.PlotPlan.Dimension;
import kiln.runtime.script.PlotPlan.Seeds;
import org.junit.jupiter.api.Test;

class PlotPlanTest {
    private static final GenerationRequest BASE = GenerationRequest.builder().prompt("cat").build();

    private static PlotPlan plan(Dimension x, Dimension y, Dimension z, Seeds seeds) {
        return PlotPlan.of(BASE, x, y, z, seeds, AxisTest.NAMES, new AtomicLong(100)::getAndIncrement);
    }

    private static Dimension of(String axis, String values) {
        return Dimension.of(Axis.find(axis), values);
    }

    private static List<String> places(PlotPlan plan) {
        return plan.cells().stream().map(cell -> "" + cell.x() + cell.y() + cell.z()).toList();
    }

    @Test
    void theDearestAxisIsTheOutermostLoop() {
        Dimension steps = of("Steps", "1-2");
        Dimension model = of("Checkpoint name", "a,b");
        assertThat(places(plan(steps, model, Dimension.NOTHING, Seeds.USUAL))).containsExactly("000", "100", "010", "110");
        assertThat(places(plan(model, steps, Dimension.NOTHING, Seeds.USUAL))).containsExactly("000", "010", "100", "110");
        assertThat(places(plan(of("VAE", "a,b"), steps, model, Seeds.USUAL)))
                .containsExactly("000", "010", "100", "110", "001", "011", "101", "111");
    }

    @Test
    void oneSeedIsDrawnForAllCells() {
        PlotPlan plan = plan(of("Steps", "1-3"), Dimension.NOTHING, Dimension.NOTHING, Seeds.USUAL);
        assertThat(plan.cells()).extracting(cell -> cell.request().seed()).hasSize(3).doesNotContain(-1L).containsOnly(plan.cells().get(0).request().seed());
        assertThat(plan.cells()).extracting(cell -> cell.request().steps()).containsExactly(1, 2, 3);
        PlotPlan kept = plan(of("Steps", "1-3"), Dimension.NOTHING, Dimension.NOTHING, new Seeds(true, false, false, false));
        assertThat(kept.cells()).extracting(cell -> cell.request().seed()).containsOnly(-1L);
    }

    @Test
    void seedsGrowAlongTheAxesThatVaryThem() {
        PlotPlan plan = plan(of("Steps", "1-2"), of("CFG Scale", "5,6,7"), Dimension.NOTHING, new Seeds(false, true, true, false));
        long first = plan.cells().get(0).request().seed();
        assertThat(plan.cells())
                .allSatisfy(cell -> assertThat(cell.request().seed()).isEqualTo(first + cell.x() + 2L * cell.y()));
    }

    @Test
    void theGridsParametersAreA1111s() {
        PlotPlan plan = plan(of("Seed", "5,-1"), of("Steps", "1-2"), of("Clip skip", "1,2"), Seeds.USUAL);
        long drawn = (Long) plan.x().values().get(1);
        assertThat(drawn).isNotNegative();
        assertThat(plan.parameters(true)).containsExactly(
                entry("Script", "X/Y/Z plot"), entry("X Type", "Seed"), entry("X Values", "5,-1"), entry("Fixed X Values", "5, " + drawn),
                entry("Y Type", "Steps"), entry("Y Values", "1-2"), entry("Z Type", "Clip skip"), entry("Z Values", "1,2"));
        assertThat(plan.parameters(false)).doesNotContainKey("Z Type");
        assertThat(plan(of("Steps", "1"), Dimension.NOTHING, Dimension.NOTHING, Seeds.USUAL).parameters(true)).doesNotContainKey("Y Type");
    }

    @Test
    void tooManyCellsAreRefused() {
        assertThatThrownBy(() -> plan(of("Seed", "1-200"), of("Steps", "1-100"), Dimension.NOTHING, Seeds.USUAL))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("20000");
    }
}
