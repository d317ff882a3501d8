package kiln.runtime.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.Setting;
import kiln.runtime.text.Style;
import kiln.runtime.text.Styles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AxisTest {
    static final Axis.Names NAMES = new Axis.Names(Path::of, new Styles(List.of(new Style("Oil", "oil painting of {prompt}", "photo"))));
    private static final GenerationRequest BASE =
            GenerationRequest.builder().prompt("a red cat, a dog").negativePrompt("red").seed(7).build();

    private static List<?> values(String axis, String text) {
        return Axis.find(axis).reader().read(axis, text);
    }

    private static GenerationRequest applied(String axis, String text, int index) {
        List<?> values = values(axis, text);
        return Axis.find(axis).change().apply(BASE, values.get(index), values, NAMES);
    }

    /** Ranges end as Python's range and arange do. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "Seed; 1-5; [1, 2, 3, 4, 5]",
        "Seed; 1, -1 ,3; [1, -1, 3]",
        "Steps; 1-10 (+2); [1, 3, 5, 7, 9]",
        "Steps; 10-5 (-3); [10, 7]",
        "Steps; 1-10 [5]; [1, 3, 5, 7, 10]",
        "Steps; 20,, 30-32; [20, 30, 31, 32]",
        "CFG Scale; 1-3; [1.0, 2.0, 3.0]",
        "CFG Scale; 1-2 (+0.5); [1.0, 1.5, 2.0]",
        "CFG Scale; 0-1 [5]; [0.0, 0.25, 0.5, 0.75, 1.0]",
        "CFG Scale; 5-4 (-0.5); [5.0, 4.5, 4.0]",
        "Prompt S/R; 'cat, \"big, red\" , dog'; [cat, big, red, dog]",
        "Prompt order; 'a,b,c'; [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]]",
    })
    void valuesAreReadAsA1111ReadsThem(String axis, String text, String expected) {
        assertThat(values(axis, text)).hasToString(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1-x", "", "1-5 (+0)", "0-99999999", "1.5"})
    void whatIsNoWholeNumberIsRefusedByTheAxisName(String text) {
        assertThatThrownBy(() -> values("Steps", text)).isInstanceOf(KilnException.class).hasMessageContaining("Steps");
    }

    @Test
    void wordsAreSearchedAndReplacedInBothPrompts() {
        assertThat(applied("prompt s/r", "red,blue", 1).prompt()).isEqualTo("a blue cat, a dog");
        assertThat(applied("prompt s/r", "red,blue", 1).negativePrompt()).isEqualTo("blue");
        assertThat(applied("prompt s/r", "red,blue", 0)).isEqualTo(BASE);
        assertThatThrownBy(() -> applied("Prompt S/R", "green,blue", 1)).isInstanceOf(KilnException.class).hasMessageContaining("green");
    }

    @Test
    void wordsChangePlaces() {
        assertThat(applied("Prompt order", "cat,dog", 0).prompt()).isEqualTo("a red cat, a dog");
        assertThat(applied("Prompt order", "cat,dog", 1).prompt()).isEqualTo("a red dog, a cat");
        assertThatThrownBy(() -> applied("Prompt order", "cat,bird", 0)).isInstanceOf(KilnException.class).hasMessageContaining("bird");
    }

    @Test
    void everyAxisReachesTheRequest() {
        assertThat(applied("Sampler", "Euler Karras", 0).sampler()).isEqualTo("Euler");
        assertThat(applied("Sampler", "Euler Karras", 0).schedule()).isEqualTo("Karras");
        assertThat(applied("Clip skip", "1-2", 1).clipSkip()).isEqualTo(2);
        assertThat(applied("Size", "256x320", 0).height()).isEqualTo(320);
        assertThat(applied("Var. strength", "0.5", 0).variation().strength()).isEqualTo(0.5);
        assertThat(applied("Sigma Churn", "4", 0).settings().number(Setting.CHURN)).isEqualTo(4);
        assertThat(applied("Checkpoint name", "a/b.ckpt", 0).model()).isEqualTo(Path.of("a/b.ckpt"));
        assertThat(applied("Styles", "Oil", 0).prompt()).isEqualTo("oil painting of a red cat, a dog");
        assertThat(applied("Styles", "Oil", 0).negativePrompt()).isEqualTo("red, photo");
        assertThatThrownBy(() -> applied("Hires steps", "4", 0)).isInstanceOf(KilnException.class).hasMessageContaining("--hires");
        GenerationRequest hires = BASE.toBuilder().hires(HiresPass.usual()).build();
        Axis denoising = Axis.find("denoising");
        assertThat(denoising.change().apply(hires, 0.25, List.of(0.25), NAMES).hires().denoisingStrength()).isEqualTo(0.25);
    }

    @Test
    void unknownAxesAndThoseThatMeanNothingHereAreTold() {
        assertThatThrownBy(() -> Axis.find("Stepps")).isInstanceOf(KilnException.class).hasMessageContaining("Steps");
        assertThatThrownBy(() -> Axis.find("Refiner checkpoint")).isInstanceOf(KilnException.class).hasMessageContaining("refiner");
        assertThat(Axis.find("cfg scale")).isSameAs(Axis.find("CFG_Scale"));
    }

    @Test
    void captionsAreA1111s() {
        assertThat(Axis.find("CFG Scale").caption(0.1 + 0.2)).isEqualTo("CFG Scale: 0.3");
        assertThat(Axis.find("Sampler").caption("Euler")).isEqualTo("Euler");
        assertThat(Axis.find("Prompt order").caption(List.of("a", "b"))).isEqualTo("a, b");
        assertThat(Axis.find("Checkpoint name").caption("sub/model.ckpt")).isEqualTo("model.ckpt");
        assertThat(Axis.NOTHING.caption("")).isEmpty();
    }
}
