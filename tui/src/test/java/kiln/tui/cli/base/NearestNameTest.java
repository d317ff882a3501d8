package kiln.tui.cli.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestNameTest {
    private static final List<String> NAMES = List.of("txt2img", "models", "--steps", "--seed");

    @Test
    void findsTheNameWithTheFewestEdits() {
        assertThat(NearestName.of("txt2igm", NAMES)).isEqualTo("txt2img");
        assertThat(NearestName.of("MODEL", NAMES)).isEqualTo("models");
        assertThat(NearestName.of("--step", NAMES)).isEqualTo("--steps");
    }

    @Test
    void staysSilentWhenNothingIsNear() {
        assertThat(NearestName.of("quite-different", NAMES)).isNull();
        assertThat(NearestName.hint("x", NAMES)).isEmpty();
        assertThat(NearestName.hint("", NAMES)).isEmpty();
    }
}
