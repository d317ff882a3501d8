package kiln.runtime.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockMultipliersTest {
    private static final BlockMultipliers COUNTED =
            BlockMultipliers.parse(IntStream.range(0, BlockMultipliers.COUNT).mapToObj(Integer::toString).collect(Collectors.joining(",")));

    @Test
    void everyPlaceOfTheDenoiserHasItsWeight() {
        assertThat(of("time_embed.0.weight")).isZero();
        assertThat(of("input_blocks.0.0.weight")).isZero();
        assertThat(of("input_blocks.11.0.in_layers.0.weight")).isEqualTo(11);
        assertThat(of("middle_block.1.norm.weight")).isEqualTo(12);
        assertThat(of("output_blocks.0.0.skip_connection.weight")).isEqualTo(13);
        assertThat(of("output_blocks.11.1.norm.weight")).isEqualTo(24);
        assertThat(of("out.2.weight")).isEqualTo(24);
        assertThat(of("output_blocks.12.0.weight")).isEqualTo(0.5);
        assertThat(COUNTED.of("first_stage_model.decoder.mid.block_1.conv1.weight", 0.5)).isEqualTo(0.5);
    }

    private static double of(String module) {
        return COUNTED.of("model.diffusion_model." + module, 0.5);
    }

    @Test
    void presetsAreThoseOfTheExtension() {
        assertThat(BlockMultipliers.presetNames()).hasSize(18);
        assertPreset("grad_a", "0 1 2 3 4 5 6 7 8 9 10 11 12 11 10 9 8 7 6 5 4 3 2 1 0", 12);
        assertPreset("WRAP14", "1 1 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1", 1);
        assertPreset("MID12_50", "0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0 0 0 0 0 0", 2);
        assertPreset("OUT12_5", "0 0 0 0 0 0 0 0 0 0 0 0 1 2 2 2 2 2 2 2 2 2 2 2 2", 2);
        assertPreset("RING08_SOFT", "0 0 0 0 0 1 2 2 2 1 0 0 0 0 0 1 2 2 2 1 0 0 0 0 0", 2);
        assertPreset("RING10_3", "0 0 0 0 0 0 1 1 1 1 1 0 0 0 1 1 1 1 1 0 0 0 0 0 0", 1);
        assertThat(BlockMultipliers.parse("NORMAL-SIGMOID").values().get(1)).isCloseTo(0.00506365740740741, within(1e-12));
    }

    /** @param parts the weights, each times {@code scale} */
    private static void assertPreset(String name, String parts, double scale) {
        List<Double> wanted = List.of(parts.split(" ")).stream().map(part -> Double.parseDouble(part) / scale).toList();
        List<Double> found = BlockMultipliers.parse(name).values();
        for (int i = 0; i < BlockMultipliers.COUNT; i++) {
            assertThat(found.get(i)).as(name + " " + i).isCloseTo(wanted.get(i), within(1e-12));
        }
    }

    @Test
    void othersAreRefusedInOneLine() {
        assertThatThrownBy(() -> BlockMultipliers.parse("GRAD_B")).hasMessageContaining("did you mean GRAD_");
        assertThatThrownBy(() -> BlockMultipliers.parse("1,2,3")).hasMessageContaining("3 block weights: 25 are needed");
        assertThatThrownBy(() -> BlockMultipliers.parse("1,x")).hasMessageContaining("\"x\" is no number");
    }
}
