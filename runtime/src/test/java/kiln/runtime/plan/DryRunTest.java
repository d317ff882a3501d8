package kiln.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.model.Checkpoint;
import org.junit.jupiter.api.Test;

/** The three networks of the bundled model at 128×128. */
class DryRunTest {
    private static List<DryRun> runs(int bytesPerElement) {
        try (ModelFiles file = ModelFiles.open(Path.of("demo/kiln-demo.safetensors"))) {
            Checkpoint model = Checkpoint.infer(file::shape);
            return List.of(
                    DryRun.of("text encoder", model.text().graph(file::shape, 2, 77, 1), bytesPerElement),
                    DryRun.of("UNet", model.unet().graph(file::shape, 2, 16, 16, 77, 1), bytesPerElement),
                    DryRun.of("decoder", model.vae().decoder(file::shape, 1, 16, 16), bytesPerElement));
        }
    }

    @Test
    void totalsAreTheSumsOfTheSteps() {
        for (DryRun run : runs(4)) {
            assertThat(run.steps().stream().mapToLong(DryRun.Step::weightBytes).sum()).isEqualTo(run.weightBytes()).isPositive();
            assertThat(run.steps().stream().mapToDouble(DryRun.Step::flops).sum()).isEqualTo(run.flops()).isPositive();
            assertThat(run.arenaBytes()).isGreaterThanOrEqualTo(run.liveBytes());
            assertThat(run.arenaBytes()).isLessThan(run.steps().stream().mapToLong(DryRun.Step::resultBytes).sum());
        }
    }

    @Test
    void halfTheBytesAnElementHalveAllButExactInputs() {
        List<DryRun> wide = runs(4);
        List<DryRun> narrow = runs(2);
        for (int i = 0; i < wide.size(); i++) {
            assertThat(narrow.get(i).weightBytes()).isEqualTo(wide.get(i).weightBytes() / 2);
            assertThat(narrow.get(i).flops()).isEqualTo(wide.get(i).flops());
        }
        DryRun.Step tokens = narrow.get(0).steps().get(0);
        // 2 × 77 ids of four bytes, rounded up to 64.
        assertThat(tokens.name()).isEqualTo("tokens");
        assertThat(tokens.resultBytes()).isEqualTo(640);
    }

    @Test
    void tablesNameEveryStepAndTheTotals() {
        for (DryRun run : runs(4)) {
            List<String> lines = run.table().lines().toList();
            assertThat(lines).hasSize(run.steps().size() + 2);
            assertThat(lines.get(0)).startsWith(run.network());
            for (int i = 0; i < run.steps().size(); i++) {
                assertThat(lines.get(i + 1)).startsWith(run.steps().get(i).name()).contains(run.steps().get(i).op());
            }
            assertThat(lines.get(lines.size() - 1)).startsWith(run.network() + " in all: ").contains("GFLOP", "MiB");
        }
    }

    @Test
    void isJsonAsItIs() {
        DryRun run = runs(4).get(1);
        JsonNode json = new ObjectMapper().valueToTree(run);
        assertThat(json.get("network").asText()).isEqualTo("UNet");
        assertThat(json.get("arenaBytes").asLong()).isEqualTo(run.arenaBytes());
        assertThat(json.get("steps").size()).isEqualTo(run.steps().size());
    }
}
