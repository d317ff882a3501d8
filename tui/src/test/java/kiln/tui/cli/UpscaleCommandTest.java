package kiln.tui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import kiln.runtime.image.PngWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UpscaleCommandTest {
    private static final Path NETWORKS = Path.of("../runtime/src/test/resources/upscalers").toAbsolutePath().normalize();
    private static final String PARAMETERS = "a cat\nSteps: 20, Sampler: Euler a, Seed: 1";

    @TempDir
    private Path folder;

    private Path picture(String name, int width, int height) throws IOException {
        byte[] rgb = new byte[3 * width * height];
        new Random(3).nextBytes(rgb);
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        try (OutputStream out = Files.newOutputStream(file)) {
            PngWriter.write(new Picture(width, height, rgb), Map.of("parameters", PARAMETERS), out);
        }
        return file;
    }

    private Run run(String... arguments) {
        return Run.in(folder).kiln(arguments);
    }

    @Test
    void aNetworkMakesThePictureLargerAndItsTextsStay() throws IOException {
        Path large = folder.resolve("large.png");
        String upscaler = NETWORKS.resolve("x4.pth").toString();
        Run run = run("upscale", picture("cat.png", 24, 16).toString(), "--upscaler", upscaler, "-o", large.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEqualTo(large + "\n");
        assertThat(PngReader.readPicture(large).width()).isEqualTo(96);
        assertThat(PngReader.readPicture(large).height()).isEqualTo(64);
        assertThat(PngReader.readTexts(large))
                .containsEntry("parameters", PARAMETERS)
                .containsEntry("postprocessing", "Postprocess upscale by: 4, Postprocess upscaler: x4");
    }

    @Test
    void aNetworkIsUsedAgainUntilThePictureIsLargeEnough() throws IOException {
        Path large = folder.resolve("large.png");
        String upscaler = NETWORKS.resolve("x2.safetensors").toString();
        Run run = run("upscale", picture("cat.png", 16, 24).toString(), "--upscaler", upscaler, "--scale", "2.5",
                "--tile", "0", "-o", large.toString());
        assertThat(run.err()).isEmpty();
        assertThat(PngReader.readPicture(large).width()).isEqualTo(40);
        // 24 · 2.5 = 60, of which 56 is a multiple of 8.
        assertThat(PngReader.readPicture(large).height()).isEqualTo(56);
    }

    @Test
    void aSizeIsCoveredAndCut() throws IOException {
        Path large = folder.resolve("large.png");
        run("upscale", picture("cat.png", 40, 20).toString(), "--upscaler", "lanczos", "--resize", "64x64", "-o", large.toString());
        assertThat(PngReader.readPicture(large).width()).isEqualTo(64);
        assertThat(PngReader.readPicture(large).height()).isEqualTo(64);
        assertThat(PngReader.readTexts(large).get("postprocessing"))
                .isEqualTo("Postprocess upscale to: 64x64, Postprocess crop to: 64x64, Postprocess upscaler: Lanczos");
    }

    @Test
    void foldersAreDoneWholeAndABrokenPictureDoesNotStopTheOthers() throws IOException {
        picture("in/a.png", 8, 8);
        picture("in/c.png", 8, 8);
        Files.writeString(folder.resolve("in/b.png"), "no picture");
        Path out = folder.resolve("out");
        Run run = run("upscale", folder.resolve("in").toString(), "--upscaler", "nearest", "--scale", "2", "-o", out.toString(), "--json");
        JsonNode json = new ObjectMapper().readTree(run.out());
        assertThat(json.get("files").findValuesAsText("file"))
                .containsExactly(out.resolve("a.png").toString(), "null", out.resolve("c.png").toString());
        assertThat(json.get("files").get(1).get("error").asText()).contains("b.png");
        assertThat(run.exitCode()).isNotZero();
        run("upscale", folder.resolve("in/a.png").toString(), "--upscaler", "nearest", "--scale", "2", "-o", out.toString());
        assertThat(out.resolve("a-2.png")).exists();
    }

    @Test
    void whatIsNoUpscalerIsOneLine() throws IOException {
        String cat = picture("cat.png", 8, 8).toString();
        Run unknown = run("upscale", cat, "--upscaler", "lanczoss");
        assertThat(unknown.err()).contains("did you mean Lanczos?").hasLineCount(1);
        Run checkpoint = run("upscale", cat, "--upscaler", "../runtime/demo/kiln-demo.safetensors");
        assertThat(checkpoint.err()).contains("kind SD 1.x, not an upscaler").hasLineCount(1);
        Run upscaler = Run.in(folder).kiln("txt2img", "-p", "cat", "--ckpt", NETWORKS.resolve("old.pth").toString());
        assertThat(upscaler.err()).contains("of the kind upscaler").hasLineCount(1);
        assertThat(run("upscale", cat, "--scale", "0").exitCode()).isEqualTo(2);
        assertThat(run("upscale", cat, "--scale", "2", "--resize", "64x64").err()).contains("contradict");
        assertThat(run("upscale", cat, "--tile", "8").err()).contains("tiles of 8 pixels");
    }

    @Test
    void foldersOfUpscalersAreListedWithTheNamesOfA1111() throws IOException {
        Path models = Files.createDirectories(folder.resolve("up"));
        Files.copy(NETWORKS.resolve("x4.pth"), models.resolve("RealESRGAN_x4plus.pth"));
        Files.copy(NETWORKS.resolve("compact.pth"), models.resolve("small.pth"));
        Files.writeString(models.resolve("broken.pth"), "nothing");
        Run run = run("upscalers", "--esrgan-models-path", models.toString(), "--json");
        JsonNode found = new ObjectMapper().readTree(run.out()).get("upscalers");
        assertThat(found.findValuesAsText("name")).containsExactly("None", "Lanczos", "Nearest", "broken", "R-ESRGAN 4x+", "small");
        assertThat(found.get(4).get("kind").asText()).isEqualTo("ESRGAN, 1 block");
        assertThat(found.get(5).get("scale").asInt()).isEqualTo(4);
        assertThat(found.get(3).get("error").asText()).contains("broken.pth");
        String cat = picture("cat.png", 8, 8).toString();
        String out = folder.resolve("o.png").toString();
        Run upscale = run("upscale", cat, "--esrgan-models-path", models.toString(), "--upscaler", "r-esrgan 4x+", "-o", out);
        assertThat(upscale.exitCode()).isZero();
    }
}
