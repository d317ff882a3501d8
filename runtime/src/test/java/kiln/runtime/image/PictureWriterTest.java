package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.Map;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;

class PictureWriterTest {
    private static final String TEXT = "a cat, 猫\nSteps: 20, Sampler: Euler a, CFG scale: 7";

    private static Picture smooth(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            rgb[3 * i] = (byte) (i % width * 255 / width);
            rgb[3 * i + 1] = (byte) (i / width * 255 / height);
            rgb[3 * i + 2] = 90;
        }
        return new Picture(width, height, rgb);
    }

    private static double meanDifference(Picture a, Picture b) {
        double sum = 0;
        for (int i = 0; i < a.rgb().length; i++) {
            sum += Math.abs((a.rgb()[i] & 255) - (b.rgb()[i] & 255));
        }
        return sum / a.rgb().length;
    }

    @Test
    void everyFormatGivesPictureAndTextBack() {
        for (PictureFormat format : new PictureFormat[] {PictureFormat.PNG, PictureFormat.JPEG, PictureFormat.WEBP}) {
            for (int[] size : new int[][] {{64, 48}, {33, 7}, {1, 1}, {1, 19}}) {
                Picture picture = smooth(size[0], size[1]);
                byte[] file = PictureWriter.encode(picture, TEXT, new PictureEncoding(format, 95, false));
                assertThat(PictureFormat.of(file)).isEqualTo(format);
                DecodedPicture back = PictureReader.read(file, "test");
                assertThat(back.texts()).containsValue(TEXT);
                assertThat(back.alpha()).isNull();
                // Both lossy formats share colour among neighbours, which thin pictures show most.
                assertThat(meanDifference(picture, back.picture())).as("%s %sx%s", format, size[0], size[1]).isLessThan(8);
            }
        }
    }

    @Test
    void aLosslessWebPHasEveryPixel() {
        Picture picture = smooth(40, 30);
        byte[] file = PictureWriter.encode(picture, TEXT, new PictureEncoding(PictureFormat.WEBP, 80, true));
        assertThat(PictureReader.read(file, "test").picture().rgb()).isEqualTo(picture.rgb());
    }

    @Test
    void qualityDecidesTheSize() {
        for (PictureFormat format : new PictureFormat[] {PictureFormat.JPEG, PictureFormat.WEBP}) {
            Picture picture = smooth(128, 128);
            int low = PictureWriter.encode(picture, "", new PictureEncoding(format, 10, false)).length;
            int high = PictureWriter.encode(picture, "", new PictureEncoding(format, 95, false)).length;
            assertThat(low).isLessThan(high);
        }
    }

    @Test
    void aPngIsWhatThePngWriterWrites() {
        Picture picture = smooth(20, 20);
        assertThat(PictureWriter.encode(picture, TEXT, PictureEncoding.PNG)).isEqualTo(PngWriter.encode(picture, Map.of("parameters", TEXT)));
    }

    /** What piexif 1.1.3 makes of {"Exif": {0x9286: UserComment.dump("hi", encoding="unicode")}}, less its "Exif\0\0". */
    @Test
    void exifIsLaidOutAsPiexifDoes() {
        assertThat(HexFormat.of().formatHex(Exif.withUserComment("hi"))).isEqualTo(
                "4d4d002a00000008" + "0001" + "8769" + "0004" + "00000001" + "0000001a" + "00000000"
                        + "0001" + "9286" + "0007" + "0000000c" + "00000028" + "554e49434f444500" + "00680069");
    }

    @Test
    void whatAFormatCannotHoldIsToldInWords() {
        PictureEncoding jpeg = new PictureEncoding(PictureFormat.JPEG, 80, false);
        PictureEncoding webp = jpeg.as(PictureFormat.WEBP);
        assertThat(PictureWriter.refusal(jpeg, 65_535, 8, "")).isNull();
        assertThat(PictureWriter.refusal(jpeg, 8, 65_536, "")).contains("written as PNG").contains("65535");
        assertThat(PictureWriter.refusal(webp, 16_383, 8, "")).isNull();
        assertThat(PictureWriter.refusal(webp, 16_384, 8, "")).contains("16384x8").contains("16383");
        assertThat(PictureWriter.refusal(jpeg, 8, 8, "x".repeat(40_000))).contains("40000 characters");
        assertThat(PictureWriter.refusal(webp, 8, 8, "x".repeat(40_000))).isNull();
        assertThat(PictureWriter.refusal(PictureEncoding.PNG, 70_000, 8, "x".repeat(40_000))).isNull();
    }

    @Test
    void onlyWrittenFormatsAndRealQualitiesAreTaken() {
        assertThatThrownBy(() -> new PictureEncoding(PictureFormat.GIF, 80, false)).isInstanceOf(KilnException.class).hasMessageContaining("png, jpg, webp");
        assertThatThrownBy(() -> new PictureEncoding(PictureFormat.JPEG, 0, false)).isInstanceOf(KilnException.class).hasMessageContaining("1 to 100");
        assertThat(PictureFormat.ofName("a.JPEG")).isEqualTo(PictureFormat.JPEG);
        assertThat(PictureFormat.ofName("webp")).isNull();
        assertThat(PictureFormat.ofName("a.gif")).isNull();
    }
}
