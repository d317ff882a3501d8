package kiln.tui.cli.reports;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
    @Test
    void showsStepSpeedAndTimeLeft() {
        String text = ProgressLine.text(new GenerationEvent.Progress(0.5, Phase.DENOISING, 3, 20, 1.5, 75.2, 0, 1), 79);
        assertThat(text).contains(" 50%  step 3/20  1.50 it/s  1:16 left").startsWith("[#").hasSizeLessThanOrEqualTo(79);
    }

    @Test
    void slowStepsAreToldInSecondsEach() {
        String text = ProgressLine.text(new GenerationEvent.Progress(0.1, Phase.DENOISING, 3, 20, 0.2, 4000, 1, 4), 79);
        assertThat(text).contains("step 3/20 of picture 2/4  5.0 s/it  1:06:40 left");
    }

    @Test
    void whatIsUnknownIsLeftOut() {
        assertThat(ProgressLine.text(new GenerationEvent.Progress(0, Phase.ENCODING, 0, 20, 0, -1, 0, 1), 79))
                .endsWith("  0%  reading the prompt");
        assertThat(ProgressLine.text(new GenerationEvent.Progress(0.97, Phase.DECODING, 20, 20, 0, -1, 0, 1), 79)).endsWith(" 97%  decoding");
        assertThat(ProgressLine.text(new GenerationEvent.Loading("reading x.safetensors", 0.25), 79)).contains(" 25%  reading x.safetensors");
        assertThat(ProgressLine.text(new GenerationEvent.Cancelled(), 79)).isNull();
    }

    @Test
    void fitsIntoAnyWidth() {
        GenerationEvent event = new GenerationEvent.Progress(0.5, Phase.DENOISING, 3, 20, 1.5, 75.2, 0, 1);
        for (int width = 0; width < 130; width++) {
            assertThat(ProgressLine.text(event, width)).hasSizeLessThanOrEqualTo(width);
        }
    }

    @Test
    void leavesACleanLine() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ProgressLine line = new ProgressLine(new PrintStream(out, true, StandardCharsets.UTF_8), 40);
        line.show(new GenerationEvent.Loading("reading", 0.5));
        int shown = out.size();
        line.clear();
        line.clear();
        assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("\r" + " ".repeat(shown - 1) + "\r");
    }
}
