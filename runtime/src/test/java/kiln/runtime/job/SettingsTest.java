package kiln.runtime.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.text.EmphasisMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SettingsTest {
    @Test
    void whatIsAsUsualIsLeftOut() {
        Settings settings = Settings.of(Map.of("eta_ancestral", 1, "s_churn", "4", "grid_save", true, "uni_pc_order", 3.0));
        assertThat(settings.values()).containsExactly(Map.entry(Setting.CHURN, 4.0));
        assertThat(settings).isEqualTo(Settings.USUAL.with(Setting.CHURN, 4));
        assertThat(settings.with(Setting.CHURN, 0)).isEqualTo(Settings.USUAL);
    }

    @Test
    void theyBecomeTheOptionsOfWhatTheyChange() {
        Settings settings = Settings.of(Map.of(
                "eta_ddim", 0.5, "s_noise", 1.01, "emphasis", "No norm", "comma_padding_backtrack", 0, "randn_source", "nv",
                "s_min_uncond", 3, "kiln_noise_card", "rtx3060"));
        assertThat(settings.samplerOptions().etaDdim()).isEqualTo(0.5);
        assertThat(settings.samplerOptions().churn().noise()).isEqualTo(1.01);
        assertThat(settings.promptOptions().emphasis()).isEqualTo(EmphasisMode.NO_NORM);
        assertThat(settings.promptOptions().commaBacktrack()).isZero();
        assertThat(settings.noiseKind()).isEqualTo(NoiseKind.NV);
        assertThat(settings.noiseCard().multiprocessors()).isEqualTo(28);
        assertThat(settings.guidance().needsUnconditional(1, 20, 2.9f)).isFalse();
    }

    @Test
    void oneSetOverAnotherCountsMore() {
        Settings low = Settings.USUAL.with(Setting.CHURN, 1).with(Setting.RHO, 5);
        assertThat(Settings.USUAL.with(Setting.CHURN, 2).over(low))
                .isEqualTo(Settings.USUAL.with(Setting.CHURN, 2).with(Setting.RHO, 5));
    }

    @ParameterizedTest
    @CsvSource({
        "s_churn, many, s_churn", "s_churn, -1, s_churn", "s_churn, NaN, s_churn", "eta_noise_seed_delta, 1.5, eta_noise_seed_delta",
        "sgm_noise_multiplier, perhaps, sgm_noise_multiplier", "emphasis, loud, emphasis", "randn_source, dice, randn_source",
        "CLIP_stop_at_last_layers, 0, clip skip", "uni_pc_variant, bh9, uni_pc_variant", "comma_padding_backtrack, 75, comma_padding",
        "sd_noise_schedule, Other, sd_noise_schedule", "initial_noise_multiplier, 11, noise multiplier", "kiln_noise_card, abacus, card"
    })
    void aValueThatDoesNotFitIsRefusedByName(String name, String value, String told) {
        assertThatThrownBy(() -> Settings.of(Map.of(name, value)))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.BAD_REQUEST))
                .hasMessageContaining(told);
    }

    @Test
    void aMisspeltNameIsToldTheNearest() {
        assertThatThrownBy(() -> Setting.named("s_chrn")).hasMessageContaining("did you mean s_churn?");
        assertThatThrownBy(() -> Setting.named("x".repeat(5000))).hasMessageMatching(".{0,120}");
    }

    /** Otherwise a pasted text would set what a flag cannot. */
    @ParameterizedTest
    @EnumSource(Setting.class)
    void everyUsualValueReadsBackFromItsText(Setting setting) {
        assertThat(setting.read(setting.usual().toString())).isEqualTo(setting.usual());
        assertThat(Setting.named(setting.configName())).isEqualTo(setting);
    }
}
