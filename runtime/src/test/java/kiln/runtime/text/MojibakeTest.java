package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MojibakeTest {
    @Test
    void mendsTextReadInAnotherEncoding() {
        assertThat(Mojibake.mend("sch\u00c3\u00b6n")).isEqualTo("sch\u00f6n");
        for (String encoding : new String[] {"ISO-8859-1", "windows-1252", "windows-1251", "windows-1250", "IBM437"}) {
            String text = "caf\u00e9 \u2013 na\u00efve \u732b";
            String wrong = new String(text.getBytes(StandardCharsets.UTF_8), Charset.forName(encoding));
            if (wrong.indexOf('\ufffd') < 0) {
                assertThat(Mojibake.mend(wrong)).as(encoding).isEqualTo(text);
            }
        }
    }

    @Test
    void mendsWhatWentWrongTwiceAndInParts() {
        String twice = new String("sch\u00c3\u00b6n".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        assertThat(Mojibake.mend(twice)).isEqualTo("sch\u00f6n");
        assertThat(Mojibake.mend("\u732b sch\u00c3\u00b6n")).isEqualTo("\u732b sch\u00f6n");
        assertThat(Mojibake.mend("\u00c3 la carte")).isEqualTo("\u00e0 la carte");
    }

    @Test
    void leavesWhatLooksRight() {
        for (String text : new String[] {"", "cat", "\u00c5ngstr\u00f6m", "20\u00b0C", "\u732b", "\u00a9 2024", "\u0420\u0443\u0441\u044c"}) {
            assertThat(Mojibake.mend(text)).isEqualTo(text);
        }
    }

    @Test
    void takesAHundredThousandCharacters() {
        assertThat(Mojibake.mend("\u00c3\u00a9".repeat(50_000))).isEqualTo("\u00e9".repeat(50_000));
        assertThat(Mojibake.mend("\u732b" + "\u00c3\u00a9".repeat(50_000))).hasSize(50_001);
        assertThat(Mojibake.mend("\u00e2\u0082".repeat(50_000))).isNotEmpty();
        assertThat(Mojibake.mend("\u00c3 ".repeat(50_000))).isNotEmpty();
    }
}
