package kiln.runtime.base;

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
    void anEditIsAChangedAddedOrLostLetterOrAnExchangeOfNeighbours() {
        assertThat(NearestName.edits("euler", "euler")).isZero();
        assertThat(NearestName.edits("euler", "eular")).isOne();
        assertThat(NearestName.edits("euler", "eulers")).isOne();
        assertThat(NearestName.edits("euler", "uler")).isOne();
        assertThat(NearestName.edits("euler", "eluer")).isOne();
        assertThat(NearestName.edits("", "heun")).isEqualTo(4);
    }

    @Test
    void staysSilentWhenNothingIsNear() {
        assertThat(NearestName.of("quite-different", NAMES)).isNull();
        assertThat(NearestName.hint("x", NAMES)).isEmpty();
        assertThat(NearestName.hint("", NAMES)).isEmpty();
    }
}
