package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import kiln.runtime.image.Box;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import kiln.runtime.image.PngWriter;
import kiln.runtime.job.InfoText;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From a picture, with and without a mask, on the demo model in a size that takes no time. */
class Img2imgCommandTest {
    @TempDir
    private Path folder;

    private Path picture;
    private Path rightHalf;

    @BeforeEach
    void pictures() throws IOException {
        picture = write("picture.png", 80, 64, (x, y) -> 0x2060c0 + 2 * x);
        rightHalf = write("right.png", 80, 64, (x, y) -> x < 40 ? 0 : 0xffffff);
    }

    private interface Colours {
        int at(int x, int y);
    }

    private Path write(String name, int width, int height, Colours colours) throws IOException {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (colours.at(i / 3 % width, i / 3 / width) >> 16 - 8 * (i % 3));
        }
        Path file = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(file)) {
            PngWriter.write(new Picture(width, height, rgb), Map.of(), out);
        }
        return file;
    }

    private Run run(String... further) {
        String[] usual = {
            "img2img", "-i", picture.toString(), "-p", "flat red heart", "--seed", "5", "--steps", "4", "-o",
            folder.resolve("out.png").toString()
        };
        String[] all = Arrays.copyOf(usual, usual.length + further.length);
        System.arraycopy(further, 0, all, usual.length, further.length);
        return Run.in(folder).demo().kiln(all);
    }

    private Picture drawn(String... further) {
        Run run = run(further);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return PngReader.readPicture(folder.resolve("out.png"));
    }

    private Map<String, String> parameters() {
        return InfoText.parse(PngReader.readTexts(folder.resolve("out.png")).get(InfoText.PNG_KEYWORD)).parameters();
    }

    @Test
    void withoutASizeThePicturesOwnIsDrawn() {
        Picture drawn = drawn();
        assertThat(drawn.width()).isEqualTo(80);
        assertThat(drawn.height()).isEqualTo(64);
        assertThat(parameters()).containsEntry("Size", "80x64").containsEntry("Denoising strength", "0.75").doesNotContainKey("Mask blur");
    }

    @Test
    void outsideAMaskThePictureStaysToTheBit() {
        Picture original = PngReader.readPicture(picture);
        Picture drawn = drawn("--mask", rightHalf.toString(), "--inpainting-fill", "latent-noise", "--strength", "1");
        assertThat(differing(original, drawn, 0, 24)).as("pixels left of the mask and its blur").isZero();
        assertThat(differing(original, drawn, 48, 80)).as("pixels under the mask").isGreaterThan(32 * 64 / 2);
        assertThat(parameters()).containsEntry("Mask blur", "4").containsEntry("Masked content", "latent noise");
        Picture inverted = drawn("--mask", rightHalf.toString(), "--inpainting-mask-invert", "--strength", "1");
        assertThat(differing(original, inverted, 56, 80)).isZero();
        assertThat(parameters()).containsEntry("Mask mode", "Inpaint not masked");
    }

    private static int differing(Picture one, Picture other, int from, int to) {
        int differing = 0;
        for (int y = 0; y < one.height(); y++) {
            for (int x = from; x < to; x++) {
                differing += one.pixel(x, y) == other.pixel(x, y) ? 0 : 1;
            }
        }
        return differing;
    }

    @Test
    void onlyTheMaskIsDrawnAndThePictureKeepsItsSize() throws IOException {
        picture = write("large.png", 250, 131, (x, y) -> 0x2060c0 + x);
        Path mask = write("small mask.png", 125, 65, (x, y) -> x > 80 && x < 100 && y > 20 && y < 40 ? 0xffffff : 0);
        Picture drawn = drawn(
                "--mask", mask.toString(), "--inpaint-full-res", "--inpaint-full-res-padding", "8", "--mask-blur", "1", "-W", "64", "-H",
                "64", "--inpainting-fill", "fill", "--strength", "1");
        assertThat(drawn.width()).isEqualTo(250);
        assertThat(drawn.height()).isEqualTo(131);
        Picture original = PngReader.readPicture(picture);
        assertThat(differing(original, drawn, 0, 156)).isZero();
        assertThat(differing(original, drawn, 206, 250)).isZero();
        assertThat(differing(original, drawn, 170, 190)).isGreaterThan(100);
        assertThat(parameters()).containsEntry("Inpaint area", "Only masked").containsEntry("Masked area padding", "8")
                .containsEntry("Masked content", "fill").containsEntry("Size", "64x64");
    }

    @Test
    void aBlankMaskIsToldAndThePictureDrawnWithoutIt() throws IOException {
        Path blank = write("blank.png", 8, 8, (x, y) -> 0x404040);
        Picture without = drawn();
        Run run = run("--mask", blank.toString(), "--inpaint-full-res", "-W", "80", "-H", "64");
        assertThat(run.err()).contains("the mask is blank: the whole picture is drawn");
        assertThat(PngReader.readPicture(folder.resolve("out.png")).rgb()).isEqualTo(without.rgb());
    }

    @Test
    void aMaskedPictureIsDrawnAgainFromItsParameters() throws IOException {
        Picture first = drawn("--mask", rightHalf.toString(), "--mask-blur", "2", "--strength", "0.6", "--inpainting-fill", "fill");
        Files.move(folder.resolve("out.png"), folder.resolve("first.png"));
        Run run = Run.in(folder).demo().kiln(
                "img2img", "-i", picture.toString(), "--mask", rightHalf.toString(), "--like", folder.resolve("first.png").toString(), "-o",
                folder.resolve("out.png").toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(PngReader.readPicture(folder.resolve("out.png")).rgb()).isEqualTo(first.rgb());
        assertThat(PngReader.readTexts(folder.resolve("out.png"))).isEqualTo(PngReader.readTexts(folder.resolve("first.png")));
    }

    @Test
    void aPictureIsContinuedOnItsSides() {
        Picture original = PngReader.readPicture(picture);
        Picture drawn = drawn("--outpaint", "right", "--outpaint-pixels", "32", "--strength", "1");
        assertThat(drawn.width()).isEqualTo(128);
        assertThat(drawn.height()).isEqualTo(64);
        assertThat(differing(original, new Box(0, 0, 80, 64).cut(drawn), 0, 52)).isZero();
        assertThat(parameters()).containsEntry("Script", "Poor man's outpainting").containsEntry("Mask blur", "8");
    }

    @Test
    void aPictureOfOnePixelAndAThinOneAreDrawn() throws IOException {
        picture = write("one.png", 1, 1, (x, y) -> 0xff8000);
        assertThat(drawn().width()).isEqualTo(64);
        picture = write("thin.png", 1, 16_000, (x, y) -> y);
        assertThat(drawn("-W", "64", "-H", "64", "--resize-mode", "crop").height()).isEqualTo(64);
        Path mask = write("dot.png", 1, 1, (x, y) -> 0xffffff);
        assertThat(drawn("-W", "64", "-H", "64", "--mask", mask.toString(), "--inpaint-full-res").height()).isEqualTo(16_000);
    }

    @ParameterizedTest
    @CsvSource({
        "--mask-blur 8, there is none", "--mask-alpha, has no transparency",
        "--mask MASK --mask-alpha, give one", "--mask MASK --inpainting-fill nose, latent noise", "--mask MASK --mask-blur 999, 0 to 256",
        "--mask MASK --hires-scale 2, hires", "--outpaint north, no side is called", "--outpaint left -W 64, give no width"
    })
    void whatCannotBeIsOneLine(String options, String part) {
        assertFailure(run(options.replace("MASK", rightHalf.toString()).split(" ")), 2, part);
    }

    @Test
    void aMaskThatIsNotThereIsOneLine() {
        assertFailure(run("--mask", folder.resolve("nowhere.png").toString()), 3, "nowhere.png");
    }
}
