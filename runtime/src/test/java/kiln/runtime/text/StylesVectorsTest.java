package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kiln.runtime.Vectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Styles as A1111's own code adds and recognises them. */
class StylesVectorsTest {
    static Stream<Arguments> applied() {
        return having("applied");
    }

    static Stream<Arguments> extracted() {
        return having("extracted");
    }

    private static Stream<Arguments> having(String word) {
        return Vectors.cases("infotext.json").stream()
                .filter(vector -> vector.has(word))
                .map(vector -> Arguments.of(vector.get("case").asInt(), vector));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("applied")
    void stylesAreAddedAsA1111AddsThem(int number, JsonNode vector) {
        List<String> names = new ArrayList<>();
        vector.get("names").forEach(name -> names.add(name.asText()));
        Style.Prompts styled = styles(vector.get("styles")).apply(prompts(vector), names);
        assertThat(styled)
                .isEqualTo(new Style.Prompts(vector.get("applied").get(0).asText(), vector.get("applied").get(1).asText()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("extracted")
    void stylesAreRecognisedAsA1111RecognisesThem(int number, JsonNode vector) {
        JsonNode expected = vector.get("extracted");
        List<String> names = new ArrayList<>();
        expected.get(0).forEach(name -> names.add(name.asText()));
        assertThat(styles(vector.get("all_styles")).recognise(prompts(vector)))
                .isEqualTo(new Styles.Recognised(names, new Style.Prompts(expected.get(1).asText(), expected.get(2).asText())));
    }

    private static Style.Prompts prompts(JsonNode vector) {
        return new Style.Prompts(vector.get("prompt").asText(), vector.get("negative").asText());
    }

    private static Styles styles(JsonNode list) {
        List<Style> styles = new ArrayList<>();
        list.forEach(style -> styles.add(new Style(style.get(0).asText(), style.get(1).asText(), style.get(2).asText())));
        return new Styles(styles);
    }
}
