package kiln.tui.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngWriter;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationEvent.Phase;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.tui.input.InputEvent;
import kiln.tui.input.InputEvent.Key;
import kiln.tui.output.Canvas;
import kiln.tui.output.ColorDepth;
import kiln.tui.text.CellWidth;
import kiln.tui.view.Message.Result;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScreenTest {
    private static final UiModel DEMO = new UiModel(Path.of("kiln-demo.safetensors"), "kiln-demo", true);
    private static final UiModel OTHER = new UiModel(Path.of("v1-5.safetensors"), "v1-5.safetensors [6ce0161689]", false);

    /** An engine that only takes notes; the test tells its events. */
    private static final class Notes implements Effects {
        final List<GenerationRequest> submitted = new ArrayList<>();
        final List<Long> cancelled = new ArrayList<>();
        final List<String> remembered = new ArrayList<>();
        UiModel loaded;
        int parametersRead;

        @Override
        public void readParameters() {
            parametersRead++;
        }

        @Override
        public Runnable submit(long id, GenerationRequest request) {
            submitted.add(request);
            return () -> cancelled.add(id);
        }

        @Override
        public void loadFacts(UiModel model) {
            loaded = model;
        }

        @Override
        public void remember(String prompt) {
            remembered.add(prompt);
        }

        @Override
        public void suspend() {}

        @Override
        public void redraw() {}
    }

    private final UiState state = new UiState();
    private final Notes notes = new Notes();
    private final Update update = new Update(state, notes);
    private final Theme theme = Theme.of(Map.of("LANG", "en_US.UTF-8"), null, ColorDepth.TRUECOLOR);
    private final CreateView view = new CreateView(update.commands(), theme);

    @BeforeEach
    void demoModel() {
        GenerationRequest defaults = GenerationRequest.builder().sampler("Euler").cfgScale(4).width(128).height(128).build();
        update.accept(new Result.Models(List.of(DEMO, OTHER)));
        update.accept(new Result.Facts(DEMO, new ModelFacts(defaults, List.of("flat", "3d", "red heart", "pink"), 154), null));
        update.accept(new Result.Measured("CPU bf16", "0.4/23 GiB"));
        update.accept(new Result.Tokens(false, "0/75"));
        update.accept(new Result.Tokens(true, "0/75"));
    }

    private void press(String... keys) {
        for (String key : keys) {
            update.accept(new Message.Input(Key.parse(key)));
        }
    }

    private void type(String text) {
        text.codePoints().forEach(c -> update.accept(new Message.Input(Key.typed(c))));
    }

    private void tell(long job, GenerationEvent event) {
        update.accept(new Message.Job(job, event));
    }

    private String screen(int columns, int rows) {
        return view.draw(state, columns, rows).toString();
    }

    private static Picture grey(int size) {
        return new Picture(size, size, new byte[size * size * 3]);
    }

    @Test
    void firstScreenAtItsDesignSize() {
        type("flat red heart on a pink background");
        assertThat(screen(80, 24)).isEqualTo("""
                 Kiln  kiln-demo (demo)                           CPU bf16  0.4/23 GiB  queue 0
                ╭▌Prompt ──────────────────── 0/75 ─╮╭─────────────────────────────────────────╮
                │ flat red heart on a pink          ││                                         │
                │ background                        ││                                         │
                │                                   ││                                         │
                │                                   ││                                         │
                ├ Negative ────────────────── 0/75 ─┤│                                         │
                │ what to keep out                  ││ Write what to draw, then press ^G.      │
                │                                   ││                                         │
                ╰───────────────────────────────────╯│ This is the demo model: it draws 154    │
                  Model     kiln-demo                │ emoji things as "flat" or "3d", on a    │
                  Sampler   Euler        Automatic   │ background of any of its colours. Begin │
                  Steps     20                       │ a word and Tab completes it.            │
                  CFG       4.0                      │                                         │
                  Size      128 × 128    no hires    │ Add a real model with --ckpt FILE, or   │
                  Seed      random                   │ put it into models/Stable-diffusion.    │
                  Batch     1 × 1                    │                                         │
                  Clip skip 1            as usual    │                                         │
                                                     │                                         │
                  Pictures of this run come here.    │                                         │
                                                     │                                         │
                                                     ╰─────────────────────────────────────────╯
                 ready
                 ^G generate  Tab next field  F1 keys  ^Q quit
                """);
        assertThat(view.draw(state, 80, 24).caretY()).isEqualTo(3);
        assertThat(view.draw(state, 80, 24).caretX()).isEqualTo(12);
    }

    @Test
    void jobIsShownAsItGoes() {
        type("flat sunflower");
        press("enter");
        assertThat(notes.submitted).hasSize(1);
        assertThat(notes.remembered).containsExactly("flat sunflower");
        GenerationRequest request = notes.submitted.get(0);
        assertThat(request.model()).isEqualTo(DEMO.path());
        assertThat(screen(80, 24)).contains("waiting", "queue 1", "○ flat sunflower");

        tell(1, new GenerationEvent.Loading("reading kiln-demo.safetensors", 0.25));
        assertThat(screen(80, 24)).contains("█████···············  reading kiln-demo.safetensors");
        tell(1, new GenerationEvent.Started(request.toBuilder().seed(2215).batchCount(4).build()));
        update.accept(new Result.Preview(1, 2, grey(16)));
        tell(1, new GenerationEvent.Progress(0.57, Phase.DENOISING, 11, 20, 7.9, 0.6, 2, 4));
        assertThat(screen(80, 24)).contains("▶ flat sunflower", "▀▀▀▀")
                .contains(" ███████████▍········  step 11/20  7.9 it/s  1 s left        3 of 4 · seed 2217\n");
        press("tab");
        press("shift+tab", "ctrl+c");
        assertThat(notes.cancelled).containsExactly(1L);
        assertThat(screen(80, 24)).contains("cancelling · ^C again to quit");
        tell(1, new GenerationEvent.Cancelled());
        assertThat(screen(80, 24)).contains("✗ flat sunflower (cancelled)", "queue 0");
        assertThat(state.quitting).isFalse();
    }

    @Test
    void finishedJobTellsWhereItsPictureIs() {
        type("x");
        press("ctrl+g");
        GenerationRequest request = notes.submitted.get(0).toBuilder().seed(7).build();
        tell(1, new GenerationEvent.Started(request));
        tell(1, new GenerationEvent.PictureDone(new GeneratedPicture(0, 7, grey(128), "x", Path.of("/out/00000-7.png"))));
        tell(1, new GenerationEvent.Finished(2.2));
        assertThat(screen(80, 24)).contains("done in 2.2 s  seed 7  /out/00000-7.png", "✓ x", "0:02");
        press("ctrl+r");
        assertThat(notes.submitted.get(1)).isEqualTo(request);
    }

    private static final long MIB = 1 << 20;
    private static final DeviceUse CARD =
            new DeviceUse("NVIDIA GeForce RTX 3060", "lowvram", 1228 * MIB, 1331 * MIB, 102 * MIB, 2048 * MIB, 0);

    /** A job on a card that has made one step. */
    private void drawOnACard() {
        state.device = "NVIDIA GeForce RTX 3060 f16";
        type("x");
        press("ctrl+g");
        tell(1, new GenerationEvent.Started(notes.submitted.get(0).toBuilder().seed(7).build()));
        tell(1, new GenerationEvent.Device(CARD));
        tell(1, new GenerationEvent.Progress(0.1, Phase.DENOISING, 2, 20, 3.4, 6, 0, 1));
    }

    private void finish() {
        tell(1, new GenerationEvent.PictureDone(new GeneratedPicture(0, 7, grey(128), "x", Path.of("/out/00000-7.png"))));
        tell(1, new GenerationEvent.Device(CARD));
        tell(1, new GenerationEvent.Finished(2.2));
    }

    @Test
    void theTopLineTellsTheCardItsMemoryAndTheSpeed() {
        drawOnACard();
        assertThat(screen(120, 36)).contains("  RTX 3060 f16  1.2/2.0 GiB lowvram  3.4 it/s  queue 1\n").doesNotContain("0.4/23 GiB");
        assertThat(screen(80, 24)).startsWith(" Kiln  kiln-demo (demo)    RTX 3060 f16  1.2/2.0 GiB lowvram  3.4 it/s  queue 1\n");
        assertThat(screen(77, 24)).startsWith(" Kiln  kiln-demo (demo)     RTX 3060  1.2/2.0 GiB lowvram  3.4 it/s  queue 1\n");
        assertThat(screen(60, 20)).startsWith(" Kiln  kiln-demo (demo)        1.2/2.0 GiB lowvram  queue 1\n");
        assertThat(screen(40, 10)).startsWith(" Kiln  kiln-demo…  1.2/2.0 GiB  queue 1\n");
        finish();
        assertThat(screen(80, 24)).as("the last job's speed stays").contains("3.4 it/s  queue 0");
        state.device = "oneDNN bf16";
        assertThat(screen(80, 24)).as("the card has failed, the CPU goes on").contains("oneDNN bf16  0.4/23 GiB  queue 0").doesNotContain("3060");
    }

    @Test
    void belowAFinishedPictureStandsWhatOfTheCardWasUsed() {
        drawOnACard();
        assertThat(screen(120, 36)).doesNotContain("VRAM");
        finish();
        assertThat(screen(120, 36)).contains(" VRAM: 1.2 GiB used, 1.3 GiB peak, 1.9/2.0 GiB on the card (95%) ─╯");
        assertThat(screen(100, 30)).contains("─ VRAM 1.2, peak 1.3, card 1.9/2.0 GiB (95%) ─╯");
        assertThat(screen(80, 24)).contains("╰ VRAM 1.2 peak 1.3 card 1.9/2.0 GiB 95% ─╯");
    }

    @Test
    void aRemarkStaysUntilTheNextKeyAndIsKeptWithItsJob() {
        String first = "1.3 GiB could not be had: going on as with --lowvram";
        String second = "the decoder gave not-a-number in 16 bits: from here on it runs in 32 bits";
        drawOnACard();
        tell(1, new GenerationEvent.Notice(first));
        assertThat(screen(80, 24)).as("the bar stays").contains("██··················  " + first + "\n");
        tell(1, new GenerationEvent.Notice(second));
        tell(1, new GenerationEvent.Notice(second));
        assertThat(screen(200, 60)).contains("  " + first + " · " + second + "\n");
        finish();
        assertThat(screen(200, 60)).contains("\n " + first + " · " + second + "\n");
        press("up");
        assertThat(screen(200, 60)).contains("done in 2.2 s  seed 7").doesNotContain(first);
        press("shift+tab");
        assertThat(state.focus).isEqualTo(Focus.HISTORY);
        assertThat(screen(200, 60)).contains("│ " + first + " ", "│ " + second + " ", "▀▀▀");
        assertThat(screen(80, 24)).contains("│ " + first.substring(0, 30));
    }

    @Test
    void aRemarkDoesNotHideAnError() {
        drawOnACard();
        tell(1, new GenerationEvent.Failed(KilnException.Category.DEVICE, "CUDA_ERROR_X while running the denoiser", ""));
        tell(1, new GenerationEvent.Notice("the card was left in disorder"));
        press("up");
        assertThat(screen(80, 24)).contains("\n ! CUDA_ERROR_X while running the denoiser\n");
        assertThat(screen(80, 24)).as("all of it, where no picture is").contains("  │ CUDA_ERROR_X while running the denoiser");
        press("escape", "ctrl+r");
        assertThat(screen(80, 24)).contains("waiting").doesNotContain("CUDA_ERROR_X while running the denoiser\n");
    }

    @Test
    void secondInterruptQuits() {
        press("ctrl+c");
        assertThat(state.quitting).isFalse();
        assertThat(screen(80, 24)).contains("^C again to quit");
        press("ctrl+c");
        assertThat(state.quitting).isTrue();
    }

    @Test
    void failureTakesTheProgressLineAndStaysUntilDismissed() {
        press("ctrl+g");
        tell(1, new GenerationEvent.Failed(KilnException.Category.OUT_OF_MEMORY, "out of memory: try a smaller size", ""));
        assertThat(screen(80, 24)).contains("\n ! out of memory: try a smaller size\n");
        press("escape");
        assertThat(screen(80, 24)).doesNotContain("! out of memory");
    }

    @Test
    void fieldsAreSteppedTypedAndReset() {
        press("tab", "tab", "down", "down", "down");
        assertThat(state.form.selected()).isEqualTo(Parameter.STEPS);
        press("right", "right", "left");
        assertThat(state.form.values().steps()).isEqualTo(21);
        assertThat(screen(80, 24)).contains("▌ Steps     21*").contains("← less  → more  r default");
        type("35");
        press("enter");
        assertThat(state.form.values().steps()).isEqualTo(35);
        type("5000");
        press("tab");
        assertThat(state.form.values().steps()).isEqualTo(35);
        assertThat(screen(80, 24)).contains("! steps 5000 is outside 1 to 1000");
        press("r");
        assertThat(state.form.values().steps()).isEqualTo(20);
        press("down", "right");
        assertThat(state.form.values().cfgScale()).isEqualTo(4.5);
        press("down", "down", "right");
        assertThat(state.form.values().height()).isEqualTo(136);
        press("down", "down");
        type("1234567");
        press("ctrl+g");
        assertThat(notes.submitted.get(0).seed()).isEqualTo(1234567);
    }

    @Test
    void listsOpenNarrowAndChoose() {
        press("tab", "tab", "down", "enter");
        assertThat(screen(80, 24)).contains("Sampler", "▌Euler", "DPM++ 2M");
        type("heu");
        assertThat(screen(80, 24)).contains("DPM++ 2M SDE Heun").doesNotContain("DPM++ 2S a");
        press("down", "enter");
        assertThat(state.form.values().sampler()).isEqualTo("Heun");
        press("up", "right");
        assertThat(notes.loaded).isEqualTo(OTHER);
        assertThat(screen(80, 24)).contains(" Kiln  v1-5.safetensors [6ce0161689]");
    }

    @Test
    void historyShowsAndTakesSettings() {
        type("first");
        press("ctrl+g");
        tell(1, new GenerationEvent.Started(notes.submitted.get(0).toBuilder().seed(11).steps(7).build()));
        tell(1, new GenerationEvent.Finished(1));
        press("ctrl+u");
        type("second");
        press("ctrl+g", "shift+tab");
        assertThat(screen(80, 24)).contains("▌ ○ second");
        press("down", "s");
        assertThat(state.prompt.text()).isEqualTo("first");
        assertThat(state.form.values().steps()).isEqualTo(7);
        assertThat(state.form.values().seed()).isEqualTo(11);
    }

    @Test
    void pasteNeverSubmitsAndLettersFindThePrompt() {
        update.accept(new Message.Input(new InputEvent.Paste("two\nlines")));
        assertThat(notes.submitted).isEmpty();
        assertThat(state.prompt.text()).isEqualTo("two\nlines");
    }

    @Test
    void aKeyTakesThePromptsOwnParametersAndIntoAnEmptyPromptThoseOfTheLastPicture() {
        press("ctrl+o");
        assertThat(notes.parametersRead).isEqualTo(1);
        update.accept(new Result.Parameters("a fox\nNegative prompt: flat\nSteps: 9, Sampler: Heun, CFG scale: 5.5, Seed: 77, Size: 64x96"));
        assertThat(state.prompt.text()).isEqualTo("a fox");
        assertThat(state.negative.text()).isEqualTo("flat");
        assertThat(state.form.values().steps()).isEqualTo(9);

        press("ctrl+o");
        assertThat(state.notice.text()).contains("no parameters");
        assertThat(state.negative.text()).isEqualTo("flat");
        state.prompt.replace("an owl\nSteps: 3, Sampler: Euler, Seed: 5, Size: 64x64");
        press("ctrl+o");
        assertThat(state.prompt.text()).isEqualTo("an owl");
        assertThat(state.form.values().seed()).isEqualTo(5);
        assertThat(notes.parametersRead).isEqualTo(1);

        update.accept(new Result.Parameters(null));
        assertThat(state.notice.text()).contains("no settings of a last picture");
    }

    @Test
    void pastedParametersAndThePathOfAPictureBecomeTheSettings(@TempDir Path folder) throws IOException {
        String text = "a fox\nNegative prompt: flat\nSteps: 9, Sampler: Heun, CFG scale: 5.5, Seed: 77, Size: 64x96";
        update.accept(new Message.Input(new InputEvent.Paste(text)));
        assertThat(state.prompt.text()).isEqualTo("a fox");
        assertThat(state.negative.text()).isEqualTo("flat");
        assertThat(state.form.values().steps()).isEqualTo(9);
        assertThat(state.form.values().seed()).isEqualTo(77);
        assertThat(state.form.values().height()).isEqualTo(96);

        Picture pixel = new Picture(1, 1, new byte[3]);
        String inside = "an owl\nSteps: 4, Sampler: Euler, CFG scale: 3, Seed: 5, Size: 128x128";
        Path file = Files.write(folder.resolve("an owl.png"), PngWriter.encode(pixel, Map.of(InfoText.PNG_KEYWORD, inside)));
        update.accept(new Message.Input(new InputEvent.Paste("'" + file + "'")));
        assertThat(state.prompt.text()).isEqualTo("an owl");
        assertThat(state.form.values().steps()).isEqualTo(4);

        press("ctrl+u");
        update.accept(new Message.Input(new InputEvent.Paste("no such.png")));
        assertThat(state.prompt.text()).isEqualTo("no such.png");
    }

    @Test
    void settingsThatAreTakenOverAreShownAndCanBeDeclined() {
        update.accept(new Message.Input(new InputEvent.Paste(
                "a fox\nSteps: 9, Sampler: Euler a, CFG scale: 5.5, Seed: 77, Size: 64x96, Clip skip: 2, ENSD: 31337, RNG: CPU, Eta: 0.6,"
                        + " Hires upscale: 1.5, Hires upscaler: Latent, Face restoration: GFPGAN")));
        assertThat(state.form.text(Parameter.SETTINGS)).isEqualTo("ENSD 31337, Eta 0.6");
        assertThat(state.form.text(Parameter.HIRES)).isEqualTo("hires 1.5×");
        assertThat(state.notice.text()).isEqualTo("left out: Face restoration: GFPGAN");

        state.form.select(Parameter.SETTINGS);
        state.form.reset();
        assertThat(state.form.text(Parameter.SETTINGS)).isEqualTo("as usual");
        assertThat(state.form.values().clipSkip()).as("has a field of its own").isEqualTo(2);
        state.form.select(Parameter.HIRES);
        state.form.step(-1);
        state.form.step(-1);
        assertThat(state.form.values().hires()).isNull();
        state.form.step(1);
        assertThat(state.form.values().hires().scale()).isEqualTo(1.25);
    }

    @Test
    void requestBeforeTheModelIsKnownWaitsForIt() {
        state.ready = false;
        type("x");
        press("ctrl+g");
        assertThat(notes.submitted).isEmpty();
        assertThat(screen(80, 24)).contains("reading the model…");
        update.accept(new Result.Unknown());
        assertThat(notes.submitted).hasSize(1);
    }

    @Test
    void previewThatComesTooLateIsNotShown() {
        press("ctrl+g");
        tell(1, new GenerationEvent.Started(notes.submitted.get(0).toBuilder().seed(7).batchCount(2).build()));
        Picture done = grey(128);
        tell(1, new GenerationEvent.PictureDone(new GeneratedPicture(0, 7, done, "x", null)));
        update.accept(new Result.Preview(1, 0, grey(16)));
        assertThat(state.jobs.picture(state.shownJob())).as("its own picture is there already").isSameAs(done);
        Picture next = grey(16);
        update.accept(new Result.Preview(1, 1, next));
        assertThat(state.jobs.picture(state.shownJob())).isSameAs(next);
        tell(1, new GenerationEvent.PictureDone(new GeneratedPicture(1, 8, done, "x", null)));
        tell(1, new GenerationEvent.Finished(1));
        update.accept(new Result.Preview(1, 2, grey(16)));
        assertThat(state.jobs.picture(state.shownJob())).isSameAs(done);
    }

    @Test
    void whatACancelledJobWasToBecomeStays() {
        press("ctrl+g");
        tell(1, new GenerationEvent.Started(notes.submitted.get(0).toBuilder().seed(7).build()));
        Picture forming = grey(16);
        update.accept(new Result.Preview(1, 0, forming));
        tell(1, new GenerationEvent.Cancelled());
        update.accept(new Result.Preview(1, 0, grey(16)));
        assertThat(state.jobs.picture(state.shownJob())).isSameAs(forming);
    }

    @Test
    void completionIsShownAndTaken() {
        type("flat red he");
        assertThat(screen(80, 24)).contains("│ flat red heart ", "Tab complete");
        press("tab");
        assertThat(state.prompt.text()).isEqualTo("flat red heart");
    }

    @Test
    void helpListsAllKeysAndCloses() {
        press("f1");
        assertThat(screen(80, 24)).contains("Keys", "^G F5 Ctrl+Enter", "draw the prompt");
        press("pagedown");
        assertThat(screen(80, 24)).contains("raise the word's weight");
        press("q");
        assertThat(state.helpOpen).isFalse();
        assertThat(state.prompt.text()).isEmpty();
    }

    @Test
    void noModelTellsWhatToDo() {
        UiState empty = new UiState();
        Update other = new Update(empty, notes);
        empty.modelsKnown = true;
        empty.ready = true;
        Canvas canvas = new CreateView(other.commands(), theme).draw(empty, 80, 24);
        assertThat(canvas.toString()).contains("No model found.", "models/Stable-diffusion");
        other.accept(new Message.Input(Key.parse("ctrl+g")));
        assertThat(new CreateView(other.commands(), theme).draw(empty, 120, 24).toString()).contains("! no model: put a .safetensors");
        assertThat(notes.submitted).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"80,24", "120,36", "200,60", "79,23", "72,20", "60,20", "40,10", "39,10", "40,9", "20,5", "1,1"})
    void everySizeIsDrawnWithoutOverrun(int columns, int rows) {
        type("a very long prompt 日本語 👩‍👩‍👧 that needs several lines to be shown in whole, and then some more of it");
        press("ctrl+g");
        tell(1, new GenerationEvent.Started(notes.submitted.get(0).toBuilder().seed(3).build()));
        update.accept(new Result.Preview(1, 0, grey(16)));
        tell(1, new GenerationEvent.Progress(0.1, Phase.DENOISING, 2, 20, 0.4, 260, 0, 1));
        for (String key : List.of("ctrl+l", "tab", "tab", "down", "enter", "escape", "f1", "escape")) {
            press(key);
            String[] lines = screen(columns, rows).split("\n", -1);
            assertThat(lines).hasSize(rows + 1);
            for (String line : lines) {
                assertThat(CellWidth.ofText(line)).isLessThanOrEqualTo(columns);
            }
        }
        if (columns >= 40 && rows >= 10) {
            assertThat(screen(columns, rows)).contains("step 2/20").contains("Kiln").contains("▀▀▀");
        }
    }

    @Test
    void asciiLocaleGetsAsciiBorders() {
        Theme ascii = Theme.of(Map.of("LANG", "C"), null, ColorDepth.ANSI16);
        type("x");
        press("ctrl+g");
        update.accept(new Result.Preview(1, 0, grey(16)));
        String text = new CreateView(update.commands(), ascii).draw(state, 80, 24).toString();
        assertThat(text).contains("+>Prompt ---").doesNotContain("▀", "│", "╭");
    }
}
