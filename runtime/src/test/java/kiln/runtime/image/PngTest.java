package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngTest {
    private static final long SEED = 7;

    private static Picture smooth(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        Random random = new Random(SEED);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = 3 * (y * width + x);
                rgb[at] = (byte) (x * 255 / width);
                rgb[at + 1] = (byte) (y * 3 + x);
                rgb[at + 2] = (byte) (random.nextInt(8) + y);
            }
        }
        return new Picture(width, height, rgb);
    }

    private static Picture noise(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        new Random(SEED).nextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    @Test
    void whatIsWrittenIsReadBackByUsAndByTheJdk() throws IOException {
        for (Picture picture : new Picture[] {smooth(1, 1), smooth(64, 48), noise(37, 5), noise(300, 300), smooth(1, 700)}) {
            byte[] png = PngWriter.encode(picture, Map.of());
            Picture back = PngReader.readPicture(png, "test");
            assertThat(back.rgb()).isEqualTo(picture.rgb());
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
            assertThat(image.getWidth()).isEqualTo(picture.width());
            assertThat(image.getHeight()).isEqualTo(picture.height());
            for (int y = 0; y < picture.height(); y++) {
                for (int x = 0; x < picture.width(); x++) {
                    assertThat(image.getRGB(x, y) & 0xffffff).isEqualTo(picture.pixel(x, y));
                }
            }
        }
    }

    @Test
    void theSamePictureGivesTheSameBytes() {
        assertThat(PngWriter.encode(smooth(64, 64), Map.of("a", "b"))).isEqualTo(PngWriter.encode(smooth(64, 64), Map.of("a", "b")));
    }

    @Test
    void filtersMakeSmoothPicturesSmallerThanTheJdkDoes() throws IOException {
        Picture picture = smooth(256, 256);
        BufferedImage image = new BufferedImage(256, 256, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256 * 256; i++) {
            image.setRGB(i % 256, i / 256, picture.pixel(i % 256, i / 256));
        }
        ByteArrayOutputStream jdk = new ByteArrayOutputStream();
        ImageIO.write(image, "png", jdk);
        assertThat(PngWriter.encode(picture, Map.of()).length).isLessThanOrEqualTo(jdk.size());
    }

    @Test
    void textsSurviveInOrderWhateverTheirLetters() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", "a café\nNegative prompt: ugly\nSteps: 20");
        texts.put("other", "猫 🐈 naïve");
        texts.put("Empty", "");
        byte[] png = PngWriter.encode(smooth(8, 8), texts);
        assertThat(PngReader.readTexts(png, "test")).containsExactlyEntriesOf(texts);
        String raw = new String(png, StandardCharsets.ISO_8859_1);
        assertThat(raw).contains("tEXtparameters\0a caf\u00e9\n").contains("iTXtother\0\0\0\0\0");
    }

    @Test
    void aNulInATextIsLeftOut() {
        byte[] png = PngWriter.encode(smooth(8, 8), Map.of("parameters", "a\0b"));
        assertThat(PngReader.readTexts(png, "test")).containsEntry("parameters", "ab");
    }

    @Test
    void keywordsOutsideTheStandardAreRefused() {
        for (String keyword : new String[] {"", "k".repeat(80), "a\0b", "猫"}) {
            assertThatThrownBy(() -> PngWriter.encode(smooth(8, 8), Map.of(keyword, "x"))).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theReferencesPicturesAreReadAsTheJdkReadsThem(@TempDir Path folder) throws IOException {
        for (int n = 0; n < 20; n++) {
            byte[] png = PngTest.class.getResourceAsStream(String.format("/golden/%02d.png", n)).readAllBytes();
            Path file = Files.write(folder.resolve(n + ".png"), png);
            Picture picture = PngReader.readPicture(file);
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
            for (int i = 0; i < picture.width() * picture.height(); i++) {
                int x = i % picture.width();
                int y = i / picture.width();
                assertThat(picture.pixel(x, y)).isEqualTo(image.getRGB(x, y) & 0xffffff);
            }
        }
    }

    @Test
    void greyAndAlphaAndPalettePicturesAreReadOverWhite() throws IOException {
        BufferedImage grey = new BufferedImage(3, 2, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSample(1, 1, 0, 77);
        assertThat(readBack(grey).pixel(1, 1)).isEqualTo(0x4d4d4d);

        BufferedImage alpha = new BufferedImage(3, 2, BufferedImage.TYPE_INT_ARGB);
        alpha.setRGB(1, 0, 0xff102030);
        alpha.setRGB(2, 0, 0x80000000);
        Picture overWhite = readBack(alpha);
        assertThat(overWhite.pixel(0, 0)).isEqualTo(0xffffff);
        assertThat(overWhite.pixel(1, 0)).isEqualTo(0x102030);
        assertThat(overWhite.pixel(2, 0)).isEqualTo(0x7f7f7f);

        BufferedImage palette = new BufferedImage(4, 2, BufferedImage.TYPE_BYTE_INDEXED);
        palette.setRGB(2, 1, 0xff00ff00);
        assertThat(readBack(palette).pixel(2, 1)).isEqualTo(0x00ff00);
    }

    private static Picture readBack(BufferedImage image) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return PngReader.readPicture(out.toByteArray(), "test");
    }

    @Test
    void packedTextsAreReadAndBounded() throws IOException {
        byte[] zipped = concat(ascii("note\0\0"), deflate("packed é".getBytes(StandardCharsets.ISO_8859_1)));
        byte[] international = concat(ascii("uni\0\1\0de\0Wort\0"), deflate("猫".getBytes(StandardCharsets.UTF_8)));
        byte[] png = insertAfterHeader(chunk("zTXt", zipped), chunk("iTXt", international));
        assertThat(PngReader.readTexts(png, "test")).containsEntry("note", "packed é").containsEntry("uni", "猫");

        byte[] bomb = concat(ascii("bomb\0\0"), deflate(new byte[64 << 20]));
        assertCorrupt(insertAfterHeader(chunk("zTXt", bomb)), "bytes of text");
    }

    @Test
    void damagedFilesGiveOneClearError() {
        byte[] good = PngWriter.encode(noise(16, 16), Map.of("parameters", "text"));
        assertCorrupt(new byte[0], "not a PNG");
        assertCorrupt(ascii("GIF89a and more"), "not a PNG");
        assertCorrupt(Arrays.copyOf(good, good.length - 20), "ends too early");
        assertCorrupt(insertAfterHeader(chunk("IHDR", new byte[13])), "second IHDR");
        assertCorrupt(insertAfterHeader(concat(ByteBuffer.allocate(4).putInt(-1).array(), ascii("tEXt"))), "damaged chunk");
        assertCorrupt(insertAfterHeader(concat(ByteBuffer.allocate(4).putInt(Integer.MAX_VALUE).array(), ascii("tEXt"))), "2147483647");
        assertCorrupt(insertAfterHeader(concat(ByteBuffer.allocate(4).putInt(Integer.MAX_VALUE).array(), ascii("IDAT"))), "too early");
        assertCorrupt(insertAfterHeader(chunk("tEXt", ascii("no keyword's end"))), "keyword");
        assertCorrupt(insertAfterHeader(chunk("iTXt", ascii("key\0\0"))), "iTXt");
        assertCorrupt(insertAfterHeader(chunk("zTXt", ascii("key\0"))), "zTXt");
        assertCorrupt(withHeader(8000, 8000, 8, 2, 0), "too short for 8000x8000");
        assertCorrupt(withHeader(-1, 8, 8, 2, 0), "4294967295x8");
        assertCorrupt(withHeader(65536, 65536, 8, 2, 0), "65536x65536");
        assertCorrupt(withHeader(16, 16, 4, 2, 0), "with 4 bits");
        assertCorrupt(withHeader(16, 16, 8, 2, 2), "interlace");
        assertCorrupt(withHeader(16, 16, 8, 3, 0), "palette");
        assertCorrupt(withHeader(16, 16, 8, 5, 0), "colour type");
    }

    @Test
    void tenThousandMutationsAreReadOrRefusedCleanly() {
        byte[] good = PngWriter.encode(smooth(24, 24), Map.of("parameters", "text", "b", "猫"));
        long seed = 20261124;
        Random random = new Random(seed);
        for (int n = 0; n < 10_000; n++) {
            byte[] bad = Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
            for (int k = random.nextInt(4); k >= 0 && bad.length > 0; k--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            repairChecksums(bad);
            try {
                PngReader.readTexts(bad, "test");
                PngReader.readPicture(bad, "test");
            } catch (KilnException e) {
                assertThat(e.category()).as("seed %d case %d", seed, n).isEqualTo(KilnException.Category.CORRUPT_FILE);
                assertThat(e.getMessage()).startsWith("test: ").doesNotContain("\n");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " case " + n, e);
            }
        }
    }

    @Test
    void aMissingFileIsNamed(@TempDir Path folder) {
        assertThatThrownBy(() -> PngReader.readTexts(folder.resolve("none.png")))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.NOT_FOUND))
                .hasMessageContaining("none.png");
        assertThatThrownBy(() -> PngReader.readTexts(folder))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.STORAGE));
    }

    private static void assertCorrupt(byte[] png, String message) {
        assertThatThrownBy(() -> PngReader.readPicture(png, "test"))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CORRUPT_FILE))
                .hasMessageStartingWith("test: ")
                .hasMessageContaining(message);
    }

    private static byte[] withHeader(int width, int height, int depth, int colour, int interlace) {
        byte[] png = PngWriter.encode(noise(16, 16), Map.of());
        ByteBuffer header = ByteBuffer.wrap(png).position(16).putInt(width).putInt(height);
        header.put(new byte[] {(byte) depth, (byte) colour, 0, 0, (byte) interlace});
        repairChecksums(png);
        return png;
    }

    private static byte[] insertAfterHeader(byte[]... chunks) {
        byte[] png = PngWriter.encode(noise(16, 16), Map.of());
        int header = 8 + 12 + 13;
        byte[] result = Arrays.copyOf(png, header);
        for (byte[] chunk : chunks) {
            result = concat(result, chunk);
        }
        return concat(result, Arrays.copyOfRange(png, header, png.length));
    }

    private static byte[] chunk(String type, byte[] body) {
        byte[] chunk = ByteBuffer.allocate(12 + body.length).putInt(body.length).put(ascii(type)).put(body).array();
        setChecksum(chunk, 0, body.length);
        return chunk;
    }

    /** Mutations beyond a wrong checksum are reached only with right ones. */
    private static void repairChecksums(byte[] png) {
        int at = 8;
        while (at + 12 <= png.length) {
            int length = ByteBuffer.wrap(png).getInt(at);
            if (length < 0 || length > png.length - at - 12) {
                return;
            }
            setChecksum(png, at, length);
            at += 12 + length;
        }
    }

    private static void setChecksum(byte[] png, int at, int length) {
        CRC32 crc = new CRC32();
        crc.update(png, at + 4, 4 + length);
        ByteBuffer.wrap(png).putInt(at + 8 + length, (int) crc.getValue());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] concat(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }

    private static byte[] deflate(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out)) {
            deflater.write(bytes);
        }
        return out.toByteArray();
    }
}
