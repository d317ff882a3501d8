package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import kiln.runtime.job.Setting;
import org.junit.jupiter.api.Test;

class WebUiOptionTest {
    private final Map<String, WebUiOption> options = WebUiOption.all();

    @Test
    void everyOptionThatDoesNothingHereSaysWhy() {
        assertThat(options).hasSizeGreaterThan(280);
        assertThat(options.values()).allMatch(option -> !option.reason().isBlank());
        for (Setting setting : Setting.values()) {
            WebUiOption option = options.get(setting.configName());
            if (option == null) {
                assertThat(setting.configName()).as("Kiln's own").startsWith("kiln_");
            } else if (setting != Setting.NOISE_SOURCE) {
                assertThat(setting.read(option.usual().asText())).as(setting.configName()).isEqualTo(setting.usual());
            }
        }
        assertThat(options.get("keyedit_delimiters").usual().asText()).isEqualTo(".,\\/!?%^*;:{}=`~() ");
    }

    @Test
    void valuesOfAnotherKindAreKnown() {
        assertThat(options.get("s_churn").accepts(3L)).isTrue();
        assertThat(options.get("s_churn").accepts("3")).isFalse();
        assertThat(options.get("samples_save").accepts(0L)).isFalse();
        assertThat(options.get("hide_samplers").accepts(List.of("x"))).isTrue();
        assertThat(options.get("sd_model_checkpoint").accepts("x")).isTrue();
        assertThat(options.get("sd_vae").accepts(null)).isTrue();
    }
}
