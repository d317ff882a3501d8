package kiln.tui.cli.reports;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import kiln.tui.cli.Run;
import kiln.tui.cli.Txt2imgCommandTest;
import kiln.tui.cli.base.CliContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of a job on a card; jobs on the CPU are in {@link Txt2imgCommandTest}. */
class Txt2imgReportTest {
    private static final long MIB = 1 << 20;
    private static final DeviceUse EARLY = new DeviceUse("NVIDIA GeForce GT 1030", "resident", 900 * MIB, 900 * MIB, 1000 * MIB, 2048 * MIB, 0);
    private static final DeviceUse LATE = new DeviceUse("NVIDIA GeForce GT 1030", "lowvram", 1126 * MIB, 1331 * MIB, 102 * MIB, 2048 * MIB, 0);
    private static final String NOTICE = "1.3 GiB could not be had: going on as with --lowvram";

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private void report(Run.Setup setup, boolean json, boolean verbose, GenerationEvent last) {
        CliContext context =
                setup.context(new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        Txt2imgReport report = new Txt2imgReport(context, OutputTarget.nowhere(), json, verbose);
        report.accept(new GenerationEvent.Loading("reading x.safetensors", 0.5));
        report.accept(new GenerationEvent.Notice(NOTICE));
        report.accept(new GenerationEvent.Device(EARLY));
        report.accept(new GenerationEvent.Progress(0.5, Phase.DENOISING, 1, 2, 0, -1, 0, 1));
        report.accept(new GenerationEvent.Progress(0.5, Phase.DENOISING, 2, 2, 3.4, 1, 0, 1));
        report.accept(new GenerationEvent.Notice(NOTICE));
        report.accept(new GenerationEvent.Device(LATE));
        report.accept(last);
        report.end("NVIDIA GeForce GT 1030 f16");
    }

    @Test
    void noticesAreToldOnceAndTheSummaryOnlyWhenItIsWanted() {
        report(Run.in(folder), false, false, new GenerationEvent.Finished(2));
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("kiln: " + NOTICE + "\n");
        assertThat(out.size()).isZero();
    }

    @Test
    void theSummaryTellsDeviceSpeedMemoryAndResidency() {
        report(Run.in(folder), false, true, new GenerationEvent.Finished(2));
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("kiln: " + NOTICE + "\n"
                + "kiln: 0 pictures in 2.0 s, 3.40 it/s on NVIDIA GeForce GT 1030 f16\n"
                + "kiln: VRAM 1.1 GiB used, 1.3 GiB peak, 1.9/2.0 GiB on the card (95%), lowvram\n");
    }

    @Test
    void onATerminalTheBarMakesWayForANotice() {
        report(Run.in(folder).tty(), false, false, new GenerationEvent.Finished(2));
        assertThat(err.toString(StandardCharsets.UTF_8)).containsPattern("reading x.safetensors\r +\rkiln: " + NOTICE + "\n").contains("VRAM 1.1 GiB");
    }

    @Test
    void jsonTellsTheCardAndTheNoticesAlsoOfAJobThatFailed() throws IOException {
        report(Run.in(folder), true, true, new GenerationEvent.Cancelled());
        assertThat(err.toString(StandardCharsets.UTF_8)).as("no summary of what has no end").isEqualTo("kiln: " + NOTICE + "\n");
        JsonNode json = new ObjectMapper().readTree(out.toString(StandardCharsets.UTF_8));
        assertThat(json.get("device").toString()).isEqualTo("{\"name\":\"NVIDIA GeForce GT 1030\",\"residency\":\"lowvram\",\"usedBytes\":"
                + 1126 * MIB + ",\"peakBytes\":" + 1331 * MIB + ",\"freeBytes\":" + 102 * MIB + ",\"totalBytes\":" + 2048 * MIB + "}");
        assertThat(json.get("notices").toString()).isEqualTo("[\"" + NOTICE + "\"]");
        assertThat(json.get("stepsPerSecond").asDouble()).isEqualTo(3.4);
    }
}
