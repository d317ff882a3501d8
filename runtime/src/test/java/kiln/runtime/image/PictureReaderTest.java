package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that Pillow wrote, with the pixels that Pillow reads: {@code src/test/oracle/pictures.py}. */
class PictureReaderTest {
    /** Pillow rounds its product of ink and black another way. */
    private static final int CMYK_TOLERANCE = 1;

    /** @param text a text that the file holds, or empty */
    record Sample(String name, byte[] file, int width, int height, byte[] rgba, String text) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Sample> samples() throws IOException {
        List<Sample> samples = new ArrayList<>();
        try (InputStream in = PictureReaderTest.class.getResourceAsStream("pictures.json")) {
            for (JsonNode node : new ObjectMapper().readTree(in)) {
                byte[] packed = Base64.getDecoder().decode(node.get("rgba").asText());
                byte[] rgba = new InflaterInputStream(new ByteArrayInputStream(packed)).readAllBytes();
                samples.add(new Sample(
                        node.get("name").asText(),
                        Base64.getDecoder().decode(node.get("file").asText()),
                        node.get("width").asInt(),
                        node.get("height").asInt(),
                        rgba,
                        node.path("text").asText("")));
            }
        }
        return samples;
    }

    static Sample sample(String name) throws IOException {
        return samples().stream().filter(sample -> sample.name().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("samples")
    void pixelsAreThoseThatPillowReads(Sample sample) {
        DecodedPicture read = PictureReader.read(sample.file(), "it");
        Picture picture = read.picture();
        assertThat(picture.width()).isEqualTo(sample.width());
        assertThat(picture.height()).isEqualTo(sample.height());
        int tolerance = sample.name().contains("cmyk") ? CMYK_TOLERANCE : 0;
        for (int i = 0; i < picture.width() * picture.height(); i++) {
            int alpha = sample.rgba()[4 * i + 3] & 255;
            assertThat(read.alpha() == null ? 255 : read.alpha()[i] & 255).as("alpha of pixel %s", i).isEqualTo(alpha);
            for (int c = 0; c < 3 && alpha > 0; c++) {
                int difference = (picture.rgb()[3 * i + c] & 255) - (sample.rgba()[4 * i + c] & 255);
                assertThat(Math.abs(difference)).as("channel %s of pixel %s", c, i).isLessThanOrEqualTo(tolerance);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void theSummaryKnowsSizeAndTextsWithoutThePixels(Sample sample) {
        PictureReader.Summary summary = PictureReader.summary(sample.file(), "it");
        assertThat(summary.width()).isEqualTo(sample.width());
        assertThat(summary.height()).isEqualTo(sample.height());
        assertThat(sample.name()).startsWith(summary.format().name().toLowerCase(Locale.ROOT));
        if (sample.text().isEmpty()) {
            assertThat(summary.texts()).isEmpty();
        } else {
            assertThat(summary.texts()).containsValue(sample.text());
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void aFileThatEndsTooEarlyIsOneLineWithItsName(Sample sample) {
        for (int length : new int[] {12, sample.file().length / 3, sample.file().length * 2 / 3}) {
            byte[] cut = Arrays.copyOf(sample.file(), length);
            assertThatThrownBy(() -> PictureReader.read(cut, "cut.file"))
                    .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CORRUPT_FILE))
                    .hasMessageMatching("cut.file: not a.*");
        }
    }

    @Test
    void damagedFilesGiveAPictureOrOneLine() throws IOException {
        long seed = 20261128;
        Random random = new Random(seed);
        List<Sample> samples = samples();
        for (int i = 0; i < 4000; i++) {
            Sample sample = samples.get(random.nextInt(samples.size()));
            byte[] bad = sample.file().clone();
            for (int k = 0; k <= random.nextInt(4); k++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            try {
                PictureReader.read(bad, "bad");
                PictureReader.summary(bad, "bad");
            } catch (KilnException e) {
                assertThat(e).as("seed %s, case %s", seed, i).hasMessageStartingWith("bad: ").hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void aSizeBeyondTheLimitsIsRefusedBeforeItsPixels() throws IOException {
        for (String name : List.of("png rgb", "bmp", "gif", "jpeg", "webp lossless")) {
            Sample sample = sample(name);
            byte[] large = sample.file().clone();
            ByteBuffer file = ByteBuffer.wrap(large);
            switch (name) {
                case "png rgb" -> {
                    file.putInt(16, 100_000).putInt(20, 100_000);
                    CRC32 crc = new CRC32();
                    crc.update(large, 12, 17);
                    file.putInt(29, (int) crc.getValue());
                }
                case "bmp" -> file.order(ByteOrder.LITTLE_ENDIAN).putInt(18, 100_000).putInt(22, 100_000);
                case "gif" -> file.order(ByteOrder.LITTLE_ENDIAN).putShort(6, (short) 65_000).putShort(8, (short) 65_000);
                case "jpeg" -> {
                    int frame = indexOf(large, (byte) 0xff, (byte) 0xc0);
                    file.putShort(frame + 5, (short) 65_000).putShort(frame + 7, (short) 65_000);
                }
                default -> file.order(ByteOrder.LITTLE_ENDIAN).putInt(21, 0x3fff | 0x3fff << 14);
            }
            assertThatThrownBy(() -> PictureReader.read(large, "bomb"))
                    .as(name).isInstanceOf(KilnException.class).hasMessageStartingWith("bomb: not a readable picture: a size of ");
        }
    }

    private static int indexOf(byte[] bytes, byte first, byte second) {
        for (int i = 0; i + 1 < bytes.length; i++) {
            if (bytes[i] == first && bytes[i + 1] == second) {
                return i;
            }
        }
        throw new IllegalArgumentException("not there");
    }

    @Test
    void pixelsWithoutASideAreRefused() throws IOException {
        byte[] file = sample("bmp").file().clone();
        ByteBuffer.wrap(file).putInt(18, 0);
        assertThatThrownBy(() -> PictureReader.read(file, "none.bmp")).isInstanceOf(KilnException.class).hasMessageContaining("a size of 0x14");
    }

    @Test
    void whatIsNoPictureIsRefusedByName(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("a.png"), "hello");
        assertThatThrownBy(() -> PictureReader.read(text)).isInstanceOf(KilnException.class).hasMessageContaining("a.png: not a picture that is read");
        assertThatThrownBy(() -> PictureReader.read(folder.resolve("b.png"))).isInstanceOf(KilnException.class).hasMessageContaining("no such file");
    }

    @Test
    void transparentPartsTakeTheColourBehind() {
        DecodedPicture half = new DecodedPicture(new Picture(2, 1, new byte[] {0, 0, 0, 10, 20, 30}), new byte[] {(byte) 128, 0}, Map.of());
        assertThat(half.overWhite().rgb()).containsExactly(127, 127, 127, -1, -1, -1);
        assertThat(half.over(0x102030).pixel(1, 0)).isEqualTo(0x102030);
    }
}
