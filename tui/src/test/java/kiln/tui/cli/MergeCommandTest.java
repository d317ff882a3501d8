package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeCommandTest {
    private static final String DEMO = Path.of("../runtime/demo/kiln-demo.safetensors").toAbsolutePath().normalize().toString();

    @TempDir
    private Path folder;

    @Test
    void aModelMergedWithItselfIsFoundByNameAndDrawsTheSamePicture() {
        Run merge = Run.in(folder).demo().kiln("merge", DEMO, "kiln-demo", "-m", "0.4");
        assertThat(merge.exitCode()).as(merge.err()).isZero();
        Path merged = Path.of(merge.out().strip());
        assertThat(merged.getFileName()).hasToString("0.6(kiln-demo) + 0.4(kiln-demo).safetensors");
        assertThat(draw(merged.getFileName().toString(), "b.png").rgb()).isEqualTo(draw(DEMO, "a.png").rgb());
    }

    private Picture draw(String model, String name) {
        Path file = folder.resolve(name);
        Run run = Run.in(folder).demo().kiln(
                "txt2img", "--ckpt", model, "-p", "a red heart", "-s", "3", "--steps", "2", "-W64", "-H64", "-o", file.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        return PngReader.readPicture(file);
    }

    @Test
    void whatIsWrongIsToldInOneLine() {
        assertFailure(merge("--save-as", "int8"), 2, "no file format for 8-bit weights");
        assertFailure(merge("--method", "product"), 2, "sum, difference or none");
        assertFailure(merge("--method", "difference"), 2, "takes 3 models: 1 is given");
        assertFailure(merge("--discard-weights", "("), 2, "no regular expression");
        assertFailure(merge("-o", folder.resolve("x.ckpt").toString()), 2, ".safetensors only");
        assertFailure(merge("--bake-vae", DEMO + "x"), 3, "no VAE at");
        assertFailure(merge(folder.resolve("none.ckpt").toString()), 3, "none.ckpt");
    }

    private Run merge(String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "merge";
        all[1] = DEMO;
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return Run.in(folder).demo().kiln(all);
    }
}
