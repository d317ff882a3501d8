package kiln.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "1700M, 1782579200",
        "1700m, 1782579200",
        "1700MB, 1782579200",
        "1700 MiB, 1782579200",
        "1700, 1782579200",
        "1782579200, 1782579200",
        "1.7G, 1825361100",
        "2g, 2147483648",
        "64K, 65536",
        "0.5T, 549755813888",
        "100B, 100",
        "0, 0",
        "1048575, 1099510579200",
        "1048576, 1048576"
    })
    void sizesAreReadAsToolsForCardsWriteThem(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "M", "-5M", "1,7G", "5X", "5MM", "1e3", "0x10", "NaN", "5iB"})
    void otherTextsAreRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("as 1700M");
    }

    @Test
    void whatNoNumberHoldsIsRefused() {
        assertThatThrownBy(() -> ByteSize.parse("99999999T")).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("99999999T");
    }

    @Test
    void sizesAreWrittenWithOneDigitBehindThePoint() {
        assertThat(ByteSize.format(0)).isEqualTo("0 B");
        assertThat(ByteSize.format(1023)).isEqualTo("1023 B");
        assertThat(ByteSize.format(1_782_579_200)).isEqualTo("1.7 GiB");
        assertThat(ByteSize.format(28_600_000)).isEqualTo("27.3 MiB");
        assertThat(ByteSize.formatOf(1_288_490_189, 2L << 30)).isEqualTo("1.2/2.0 GiB");
        assertThat(ByteSize.formatOf(28_600_000, 2L << 30)).isEqualTo("0.0/2.0 GiB");
        assertThat(ByteSize.formatOf(3, 10)).isEqualTo("3/10 B");
    }
}
