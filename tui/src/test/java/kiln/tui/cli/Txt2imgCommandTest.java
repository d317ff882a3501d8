package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureFormat;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PictureTexts;
import kiln.runtime.image.PngReader;
import kiln.runtime.image.PngWriter;
import kiln.runtime.job.InfoText;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

public class Txt2imgCommandTest {
    @TempDir
    private Path folder;

    @Test
    void theDemoModelPresetsWhatTheUserLeftOut() {
        Path file = folder.resolve("new/rocket.png");
        Run run = Run.in(folder).demo().kiln("txt2img", "--steps", "2", "--seed", "5", "-o", file.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).isEqualTo(file + "\n");
        assertThat(run.err()).isEqualTo("kiln: no prompt was given, so it draws: 3d rocket on a black background\n");
        Picture picture = PngReader.readPicture(file);
        assertThat(picture.width()).isEqualTo(128);
        InfoText text = InfoText.parse(PngReader.readTexts(file).get(InfoText.PNG_KEYWORD));
        assertThat(text.prompt()).isEqualTo("3d rocket on a black background");
        assertThat(text.parameters()).containsEntry("Steps", "2").containsEntry("Sampler", "Euler").containsEntry("CFG scale", "4");
        assertThat(folder.resolve("new")).isDirectoryContaining("glob:**.png").isDirectoryNotContaining("glob:**.kiln-*");
    }

    @Test
    void aSeamlessPictureIsAnotherAndSaysSo() {
        Picture plain = draw("plain.png");
        Picture tiled = draw("tiled.png", "--tiling");
        assertThat(tiled.rgb()).isNotEqualTo(plain.rgb());
        assertThat(InfoText.parse(PngReader.readTexts(folder.resolve("tiled.png")).get(InfoText.PNG_KEYWORD)).parameters())
                .containsEntry("Tiling", "True");
    }

    private Picture draw(String name, String... more) {
        Path file = folder.resolve(name);
        List<String> arguments = new ArrayList<>(List.of(
                "txt2img", "-p", "a red heart", "-s", "7", "--steps", "2", "-W64", "-H64", "-o", file.toString()));
        arguments.addAll(List.of(more));
        Run run = Run.in(folder).demo().kiln(arguments.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return PngReader.readPicture(file);
    }

    @Test
    void aPictureLikeAnotherIsTheSameToTheByte() throws IOException {
        Path first = folder.resolve("first.png");
        Path second = folder.resolve("second.png");
        String[] arguments = {
            "txt2img", "-p", "flat [cat:dog face:0.5]", "--seed", "5", "--steps", "3", "-W", "64", "-H", "64", "--sampler", "Euler a", "--eta",
            "0.6", "--ensd", "31337", "--subseed", "9", "--subseed-strength", "0.2", "--seed-resize-from", "48x64", "--set", "emphasis=No norm",
            "--hires-scale", "1.5", "--hires-steps", "2", "--hires-sampler", "dpm++ 2m", "--hires-upscaler", "Latent (bicubic)", "-o",
            first.toString()
        };
        Run run = Run.in(folder).demo().kiln(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(PngReader.readPicture(first).width()).isEqualTo(96);
        String text = PngReader.readTexts(first).get(InfoText.PNG_KEYWORD);
        assertThat(text).contains(
                "Size: 64x64", "Variation seed: 9, Variation seed strength: 0.2, Seed resize from: 48x64, Denoising strength: 0.7", "ENSD: 31337",
                "Eta: 0.6", "Hires sampler: DPM++ 2M", "Hires upscale: 1.5, Hires steps: 2, Hires upscaler: Latent (bicubic)");
        run = Run.in(folder).demo().kiln("txt2img", "--like", first.toString(), "-o", second.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).as("nothing is left out").isEmpty();
        assertThat(Files.readAllBytes(second)).isEqualTo(Files.readAllBytes(first));
    }

    @Test
    void whatCannotBeHonouredOfAnotherPictureIsNamed() throws IOException {
        Path file = folder.resolve("other.png");
        try (OutputStream out = Files.newOutputStream(file)) {
            String text = "flat cat face\nSteps: 1, Sampler: Euler, CFG scale: 4, Seed: 3, Size: 64x64, Face restoration: CodeFormer";
            PngWriter.write(new Picture(1, 1, new byte[3]), Map.of(InfoText.PNG_KEYWORD, text), out);
        }
        Run run = Run.in(folder).demo().kiln("txt2img", "--like", file.toString(), "-o", folder.resolve("new.png").toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEqualTo("kiln: other.png: left out: Face restoration: CodeFormer\n");
    }

    @Test
    void novelAisGrammarAndTagsBecomeA1111s() {
        Path file = folder.resolve("tags.png");
        String[] arguments = {
            "txt2img", "-p", "flat {{cat}} face", "--novelai", "--novelai-quality", "--novelai-uc", "1", "--steps", "1", "-W64", "-H64", "-o",
            file.toString()
        };
        Run run = Run.in(folder).demo().kiln(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        InfoText text = InfoText.parse(PngReader.readTexts(file).get(InfoText.PNG_KEYWORD));
        assertThat(text.prompt()).isEqualTo("masterpiece, best quality, flat (cat:1.1025) face");
        assertThat(text.negativePrompt()).startsWith("lowres, text, cropped, worst quality");
    }

    @Test
    void jsonTellsFilesSeedsTextsAndSeconds() throws IOException {
        Path out = folder.resolve("pictures");
        String[] arguments = {
            "txt2img", "-p", "-", "-n", "-blurry", "-W64", "-H", "64", "--steps=1", "--seed=7", "--batch-size", "2", "--n-iter", "2", "--json",
            "-o", out.toString()
        };
        Run run = Run.in(folder).demo().in("flat cat face\n").kiln(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines()).hasSize(1);
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertThat(json.get("seeds").toString()).isEqualTo("[7,8,9,10]");
        assertThat(json.get("files").get(3).asText()).isEqualTo(out.resolve("10.png").toString());
        assertThat(json.get("infotexts").get(1).asText()).startsWith("flat cat face\nNegative prompt: -blurry\nSteps: 1, ").contains("Seed: 8");
        assertThat(json.get("seconds").asDouble()).isPositive();
        assertThat(json.get("stepsPerSecond").asDouble()).isPositive();
        assertThat(json.get("device").get("name").asText()).isNotBlank();
        assertThat(json.get("notices")).isEmpty();
        Run again = Run.in(folder).demo().in("flat cat face\n").kiln(arguments);
        assertThat(again.out()).as("pictures are not replaced").contains("10-2.png");
    }

    @Test
    void aPictureGoesToTheStandardOutput() {
        Run run = Run.in(folder).demo().kiln("txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "--seed=7", "-o", "-");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).as("bytes that are no text are replaced").startsWith("\ufffdPNG\r\n").contains("Seed: 7", "IEND").doesNotEndWith("\n");
        assertThat(Path.of("-")).doesNotExist();
        CliTest.assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "--batch-count=2", "-o", "-"), 2, "one picture");
    }

    @Test
    void severalPicturesOfOneFileNameAreNumbered() throws IOException {
        Path file = folder.resolve("cat.png");
        Files.writeString(file, "an older one");
        Run run = Run.in(folder).demo().kiln(
                "txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "--seed=7", "--batch-count=2", "-o", file.toString());
        assertThat(run.out().lines()).containsExactly(file.toString(), folder.resolve("cat-2.png").toString());
        assertThat(PngReader.readTexts(file)).containsKey(InfoText.PNG_KEYWORD);
    }

    @Test
    void aNameOfAnotherPictureFormatIsNotTakenForAFolder() {
        Run run = Run.in(folder).demo().kiln("txt2img", "-p", "x", "-o", folder.resolve("cat.GIF").toString());
        assertFailure(run, 2, "cat.GIF: pictures are written as png, jpg, webp");
        assertThat(folder.resolve("cat.GIF")).doesNotExist();
    }

    @Test
    void theNameOrAFlagSaysWhichFormatIsWritten() {
        String[] small = {"txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "--seed=7"};
        Path named = folder.resolve("cat.JPEG");
        Run.in(folder).demo().kiln(with(small, "--save-txt", "-o", named.toString()));
        Path flagged = folder.resolve("webp");
        Run.in(folder).demo().kiln(with(small, "--samples-format=webp", "--webp-lossless", "-o", flagged.toString()));
        PictureReader.Summary jpeg = PictureReader.summary(named);
        assertThat(jpeg.format()).isEqualTo(PictureFormat.JPEG);
        assertThat(InfoText.parse(jpeg.texts().get(PictureTexts.USER_COMMENT)).parameters()).containsEntry("Seed", "7");
        assertThat(folder.resolve("cat.txt")).content().contains("Seed: 7");
        PictureReader.Summary webp = PictureReader.summary(flagged.resolve("7.webp"));
        assertThat(webp.format()).isEqualTo(PictureFormat.WEBP);
        assertThat(webp.texts().get(PictureTexts.USER_COMMENT)).isEqualTo(jpeg.texts().get(PictureTexts.USER_COMMENT));
        assertFailure(Run.in(folder).demo().kiln(with(small, "--samples-format=tiff")), 2, "png, jpg or webp");
        assertFailure(Run.in(folder).demo().kiln(with(small, "--jpeg-quality=101")), 2, "1 to 100");
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void aLoraAsModelIsCalledWhatItIs() throws IOException {
        Path lora = folder.resolve("style.safetensors");
        String header = "{\"lora_unet_x.lora_up.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        ByteBuffer file = ByteBuffer.allocate(8 + header.length() + 4).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
        Files.write(lora, file.array());
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--ckpt", lora.toString()), 5, lora + ": this is a file of the kind LoRA");
    }

    @Test
    void withoutOutputPicturesGoToA1111sFolders() throws IOException {
        Run run = Run.in(folder).demo().kiln("txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "--seed=7", "--data-dir", folder.toString());
        Path file = Path.of(run.out().strip());
        assertThat(file).isRegularFile().hasFileName("00000-7.png");
        assertThat(file.getParent().getParent()).isEqualTo(folder.resolve("outputs/txt2img-images"));
    }

    @Test
    void aPersonSeesABarThatMakesWayForWhatThePictureTook() {
        Run run = Run.in(folder).demo().tty().kiln("txt2img", "-p", "x", "-W64", "-H64", "--steps=2", "-o", folder.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("\r[").containsPattern("\r {30,}\rkiln: 1 picture in [0-9.]+ s, [0-9.]+ (it/s|s/it) on .+\n");
        assertThat(run.out().lines()).as("only paths").hasSize(1);
    }

    @Test
    void whatThePictureTookIsToldToALogOnlyWhenItIsWanted() {
        String[] arguments = {"txt2img", "-p", "x", "-W64", "-H64", "--steps=1", "-o", folder.toString()};
        assertThat(Run.in(folder).demo().kiln(arguments).err()).isEmpty();
        String[] more = Arrays.copyOf(arguments, arguments.length + 1);
        more[arguments.length] = "--verbose";
        Run run = Run.in(folder).demo().kiln(more);
        assertThat(run.err()).startsWith("kiln: 1 picture in ").doesNotContain("\r");
        assertThat(run.out().lines()).hasSize(1);
    }

    @Test
    void cancellingStopsWithinAStepAndLeavesNothingBehind() {
        Run.Setup setup = Run.in(folder).demo().tty();
        ByteArrayOutputStream err = new ByteArrayOutputStream() {
            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                super.write(bytes, offset, length);
                if (toString(StandardCharsets.UTF_8).contains("step ")) {
                    setup.cancellation().request();
                }
            }
        };
        Run run = setup.kilnWithErrors(err, "txt2img", "-p", "x", "--steps", "1000", "--json", "-o", folder.toString());
        assertThat(run.exitCode()).as(run.err()).isEqualTo(130);
        assertThat(run.err()).endsWith("\rkiln: cancelled\n").doesNotContain("100%");
        assertThat(run.out()).as("what was made until then").startsWith("{\"files\":[],\"seeds\":[]");
        assertNothingIn(folder);
    }

    @ParameterizedTest
    @CsvSource({
        "--width,0,width 0 is not a multiple of 8",
        "--width,7,the nearest is 8",
        "--height,100000,the nearest is 4096",
        "--steps,0,steps 0 is outside 1 to 1000",
        "--sampler,Eulr a,no sampler is called",
        "--schedule,karas,karas",
        "--seed,-2,seed -2 is negative",
        "--cfg-scale,1000,cfg scale 1000.0 is outside",
        "--batch-size,0,batch size 0",
        "--clip-skip,13,clip skip 13",
        "--executor,gpu,unknown executor 'gpu'",
        "--precision,f8,unknown precision 'f8'",
        "--threads,-1,--threads -1"
    })
    void aValueThatIsNotPossibleIsOneLine(String option, String value, String part) {
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", option, value, "-o", folder.toString()), 2, part);
        assertNothingIn(folder);
    }

    @Test
    void promptsThatAreTooLongAreRefused() {
        String text = "a".repeat(100_001);
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", text), 2, "at most 100000");
        assertFailure(Run.in(folder).demo().in(text).kiln("txt2img", "-p", "-"), 2, "at most 100000");
    }

    @Test
    void modelsThatCannotBeReadAreOneLine() throws IOException {
        Path garbage = Files.writeString(folder.resolve("garbage.ckpt"), "no model");
        Path cut = Files.write(folder.resolve("cut.safetensors"), new byte[] {100, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--ckpt", "none.ckpt"), 3, "none.ckpt");
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--ckpt", folder.toString()), 2, "--ckpt-dir");
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--ckpt", garbage.toString()), 5, "garbage.ckpt");
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--ckpt", cut.toString()), 4, "cut.safetensors");
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x"), 3, "no model found");
    }

    @Test
    void aModelMayBeGivenByItsName() {
        Run run = Run.in(folder).demo().kiln("txt2img", "--ckpt", "kiln-demo", "-p", "x", "--width", "7");
        assertFailure(run, 2, "width 7");
    }

    @Test
    void aFolderThatCannotBeWrittenToIsToldBeforeTheWork() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "-o", file + "/x.png"), 7, "is not a folder");
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "-o", "/proc/kiln/x.png"), 7, "/proc/kiln");
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "--output-dir", "/proc/kiln"), 7, "/proc/kiln");
    }

    private static void assertNothingIn(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
