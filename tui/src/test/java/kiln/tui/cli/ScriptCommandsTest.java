package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import kiln.runtime.job.InfoText;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that make many pictures of one request, and styles. */
class ScriptCommandsTest {
    @TempDir
    private Path folder;

    private Path data() {
        return folder.resolve(".local/share/kiln");
    }

    private void writeStyles() throws IOException {
        Files.createDirectories(data());
        Files.writeString(data().resolve("styles.csv"), "name,prompt,negative_prompt\nOil,\"oil painting of {prompt}, thick\",photo\n");
    }

    private static InfoText text(Path file) {
        return InfoText.parse(PngReader.readTexts(file).get(InfoText.PNG_KEYWORD));
    }

    @Test
    void aDryRunListsTheJobsInTheOrderOfTheirDrawing() {
        Run run = Run.in(folder).demo().kiln(
                "grid", "-p", "a red cat", "-s", "3", "-x", "Prompt S/R=red,blue", "-y", "steps=1-3 (+2)", "--dry-run");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines().map(line -> line.split("\t"))).extracting(parts -> parts[1] + ": " + parts[3]).containsExactly(
                "red | Steps: 1: a red cat", "blue | Steps: 1: a blue cat", "red | Steps: 3: a red cat", "blue | Steps: 3: a blue cat");
        assertThat(data().resolve("outputs")).doesNotExist();
    }

    @Test
    void aPlotIsSavedWithItsAxes() {
        Run run = Run.in(folder).demo().kiln(
                "grid", "-p", "cat", "-W64", "-H64", "--steps=1", "-s", "3", "-x", "seed=3,4", "-y", "steps=1,2", "--margin", "4");
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<Path> files = run.out().lines().map(Path::of).toList();
        assertThat(files).hasSize(5);
        assertThat(files.get(1).getFileName()).hasToString("00001-4.png");
        Path grid = files.get(4);
        assertThat(grid.getFileName()).hasToString("xyz_grid-0000.png");
        assertThat(grid.getParent().getParent()).isEqualTo(data().resolve("outputs/txt2img-grids"));
        assertThat(text(grid).parameters())
                .containsEntry("Script", "X/Y/Z plot").containsEntry("X Type", "Seed").containsEntry("X Values", "3,4")
                .containsEntry("Fixed X Values", "3, 4").containsEntry("Y Type", "Steps").containsEntry("Seed", "3");
        Picture whole = PngReader.readPicture(grid);
        int size = (64 + 64) / 25;
        assertThat(whole.width()).isEqualTo(48 + 2 * 64 + 4);
        assertThat(whole.height()).isEqualTo(2 * size + 2 * 64 + 4);
        // Last in the grid: seed 4 with two steps.
        Picture last = PngReader.readPicture(files.get(3));
        assertThat(whole.pixel(whole.width() - 1, whole.height() - 1)).isEqualTo(last.pixel(63, 63));
        assertThat(whole.pixel(whole.width() - 64, whole.height() - 64)).isEqualTo(last.pixel(0, 0));
    }

    @Test
    void aBatchGetsAGridUnlessItIsNotWanted() {
        String[] arguments = {"txt2img", "-p", "cat", "-W64", "-H64", "--steps=1", "-s", "3", "--batch-size=3", "--filename-pattern",
            "[seed]-[batch_number]", "--directory-pattern", "[prompt]"};
        Run run = Run.in(folder).demo().kiln(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines().map(line -> Path.of(line).getFileName().toString()))
                .containsExactly("00000-3-1.png", "00001-4-2.png", "00002-5-3.png");
        Path grid = data().resolve("outputs/txt2img-grids/cat/grid-0000.png");
        // Three pictures in two rows.
        assertThat(PngReader.readPicture(grid).width()).isEqualTo(128);
        assertThat(text(grid).parameters()).containsEntry("Seed", "3");
        Path out = folder.resolve("out");
        Run none = Run.in(folder).demo().kiln(
                "txt2img", "-p", "cat", "-W64", "-H64", "--steps=1", "--batch-size=2", "--no-grid", "-o", out.toString());
        assertThat(none.exitCode()).as(none.err()).isZero();
        assertThat(out).isDirectoryNotContaining("glob:**grid*");
        Run asked = Run.in(folder).demo().kiln(
                "txt2img", "-p", "cat", "-W64", "-H64", "--steps=1", "--batch-size=2", "--grid", "-o", out.toString());
        assertThat(asked.exitCode()).as(asked.err()).isZero();
        assertThat(out.resolve("grid.png")).isRegularFile();
        assertThat(out).isDirectoryNotContaining("glob:**/.kiln*");
    }

    @Test
    void linesOfAFileAreDrawn() throws IOException {
        writeStyles();
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "a cat\n\n--prompt \"a dog\" --steps 2 --styles Oil --tiling true\n");
        Run run = Run.in(folder).demo().kiln(
                "batch", prompts.toString(), "-W64", "-H64", "--steps=1", "-s", "9", "--iterate-seed");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("line 3: --tiling does nothing here");
        List<Path> files = run.out().lines().map(Path::of).toList();
        assertThat(files).hasSize(2);
        assertThat(text(files.get(0)).prompt()).isEqualTo("a cat");
        assertThat(text(files.get(1)).prompt()).isEqualTo("oil painting of a dog, thick");
        assertThat(text(files.get(1)).parameters()).containsEntry("Seed", "10").containsEntry("Steps", "2");
    }

    @Test
    void aMatrixDrawsAllCombinations() {
        Run run = Run.in(folder).demo().kiln("batch", "--matrix", "-p", "heart|red|flat", "-W64", "-H64", "--steps=1", "-s", "9");
        assertThat(run.exitCode()).as(run.err()).isZero();
        List<Path> files = run.out().lines().map(Path::of).toList();
        assertThat(files).hasSize(5);
        assertThat(files.subList(0, 4)).extracting(file -> text(file).prompt())
                .containsExactly("heart", "heart, red", "heart, flat", "heart, red, flat");
        assertThat(text(files.get(4)).prompt()).isEqualTo("heart|red|flat");
        assertThat(files.get(4).getFileName()).hasToString("prompt_matrix-0000.png");
    }

    @Test
    void stylesAreListedAddedAndReplaced() throws IOException {
        writeStyles();
        assertThat(Run.in(folder).kiln("styles").out()).isEqualTo("Oil\n  oil painting of {prompt}, thick\n  negative: photo\n");
        Path file = folder.resolve("cat.png");
        Run run = Run.in(folder).demo().kiln(
                "txt2img", "-p", "a cat", "-n", "ugly", "--style", "Oil", "-W64", "-H64", "--steps=1", "-o", file.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(text(file).prompt()).isEqualTo("oil painting of a cat, thick");
        assertThat(text(file).negativePrompt()).isEqualTo("ugly, photo");
        Run again = Run.in(folder).demo().kiln(
                "txt2img", "--like", file.toString(), "--style", "Oil", "--steps=1", "-o", folder.resolve("again.png").toString());
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(text(folder.resolve("again.png")).prompt()).isEqualTo("oil painting of a cat, thick");
        assertFailure(Run.in(folder).demo().kiln("txt2img", "-p", "x", "--style", "Oyl"), 2, "Oil");
    }

    @Test
    void whatCannotBeIsToldBeforeAnythingIsDrawn() {
        assertFailure(Run.in(folder).demo().kiln("grid", "-p", "x", "-x", "Refiner checkpoint=a"), 2, "refiner");
        assertFailure(Run.in(folder).demo().kiln("grid", "-p", "x", "-x", "steps"), 2, "AXIS=VALUES");
        assertFailure(Run.in(folder).demo().kiln("grid", "-p", "x", "-x", "Checkpoint name=none"), 3, "none");
        assertFailure(Run.in(folder).demo().kiln("batch"), 2, "--matrix");
        assertFailure(Run.in(folder).demo().kiln("batch", folder.resolve("none.txt").toString()), 3, "none.txt");
    }
}
