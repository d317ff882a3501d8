package kiln.runtime.plan;

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
        "1700MiB, 1782579200",
        "1700mb, 1782579200",
        "' 1700 M ', 1782579200",
        "1.5G, 1610612736",
        "1.65GiB, 1771674009",
        "64k, 65536",
        "2T, 2199023255552",
        "512B, 512",
        "0M, 0",
    })
    void unitsArePowersOf1024(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @Test
    void aNumberWithoutAUnitIsRefused() {
        assertThatThrownBy(() -> ByteSize.parse("1700")).hasMessage("'1700' is no amount of memory: give one like 1700M or 1.7G");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "M", "-1M", "1,5G", "1e3M", "1.G", ".5G", "1700MM", "1700 M i B", "NaN", "1700Mi", "1٣M"})
    void whatIsNoSizeIsRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1700M");
    }

    @Test
    void whatCannotBeCountedIsRefused() {
        assertThat(ByteSize.parse("8388607T")).isEqualTo(8388607L << 40);
        assertThatThrownBy(() -> ByteSize.parse("8388608T")).hasMessageContaining("more memory than can be counted");
    }

    @ParameterizedTest
    @CsvSource({"0, 0 B", "1023, 1023 B", "1024, 1.0 KiB", "1782579200, 1.7 GiB", "115343360, 110.0 MiB", "9223372036854775807, 8388608.0 TiB"})
    void sizesAreShownWithOneDecimal(long bytes, String text) {
        assertThat(ByteSize.format(bytes)).isEqualTo(text);
    }
}
