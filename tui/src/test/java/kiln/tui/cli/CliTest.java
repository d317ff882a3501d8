package kiln.tui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import kiln.runtime.base.Version;
import kiln.tui.cli.commands.Commands;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

public class CliTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"--version", "-V", "version"})
    void tellsItsVersion(String argument) {
        Run run = Run.in(folder).kiln(argument);
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).startsWith("kiln " + Version.TEXT);
        assertThat(run.err()).isEmpty();
    }

    @Test
    void helpListsEveryCommandAndExitCode() {
        Run run = Run.in(folder).kiln("--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains(Commands.NAMES).contains("Exit codes:").contains("130").contains("COMMANDLINE_ARGS");
        assertThat(Run.in(folder).kiln("help").out()).isEqualTo(run.out());
    }

    @Test
    void everyCommandHasHelpAndIgnoresOtherMistakesForIt() {
        for (String name : Commands.NAMES) {
            Run run = Run.in(folder).kiln(name, "--nonsense", "--help");
            assertThat(run.exitCode()).as(name).isZero();
            assertThat(run.out()).as(name).contains("kiln " + name).contains("--ckpt").doesNotContain("--gradio-auth");
            assertThat(Run.in(folder).kiln("help", name).out()).as(name).isEqualTo(run.out());
        }
    }

    @Test
    void everyReportingCommandHasJson() {
        for (String name : new String[] {"txt2img", "models", "inspect", "tokens", "bench", "doctor", "version"}) {
            assertThat(Run.in(folder).kiln(name, "--help").out()).as(name).contains("--json");
        }
    }

    @Test
    void anUnknownCommandNamesTheNearest() {
        assertFailure(Run.in(folder).kiln("txt2igm"), 2, "unknown command 'txt2igm': did you mean txt2img?");
        assertFailure(Run.in(folder).kiln("help", "modles"), 2, "did you mean models?");
        assertFailure(Run.in(folder).kiln("vid2vid"), 2, "unknown command 'vid2vid'");
    }

    @Test
    void anUnknownOptionNamesTheNearest() {
        assertFailure(Run.in(folder).kiln("txt2img", "--stepz", "3"), 2, "unknown option '--stepz': did you mean --steps?");
        assertFailure(Run.in(folder).kiln("models", "--jsno=1"), 2, "did you mean --json?");
        assertFailure(Run.in(folder).kiln("--chpt", "x", "models"), 2, "unknown command 'x'");
    }

    @Test
    void aPromptWithoutQuotationMarksIsExplained() {
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "a", "cat"), 2, "quotation marks");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--steps=abc", "--seed=1.5", "--cfg-scale=x", "--noise=tpu", "--threads=many", "--width"})
    void aValueOfTheWrongKindIsOneLine(String option) {
        Run run = Run.in(folder).kiln("txt2img", "-p", "x", option);
        assertFailure(run, 2, option.replaceFirst("=.*", ""));
    }

    @Test
    void aNumberThatIsTooLargeIsNotCalledNoNumber() {
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--width=99999999999"), 2, "'99999999999' is outside the possible range");
        assertFailure(Run.in(folder).kiln("txt2img", "-p", "x", "--seed", "99999999999999999999"), 2, "is outside the possible range");
    }

    @Test
    void theProcessReadsAPipe() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "kiln.tui.Main",
                        "tokens",
                        "--json")
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().write("a cat".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).startsWith("{\"count\":2,");
    }

    @Test
    void optionsMayStandBeforeTheCommandAndAfterIt() {
        String data = folder.resolve("elsewhere").toString();
        Run before = Run.in(folder).kiln("--data-dir", data, "--use-cpu", "all", "doctor", "--json");
        Run after = Run.in(folder).kiln("doctor", "--json", "--use-cpu", "all", "--data-dir=" + data);
        assertThat(before.exitCode()).isZero();
        assertThat(before.out()).contains(data + "/models/Stable-diffusion");
        assertThat(after.out()).contains(data + "/models/Stable-diffusion");
    }

    @Test
    void aValueThatIsAlsoACommandsNameStaysAValue() {
        assertFailure(Run.in(folder).kiln("--ckpt", "models", "bench"), 3, "models");
    }

    @Test
    void useCpuDoesNotTakeTheCommandsOwnArgument() throws IOException {
        Path file = Files.writeString(folder.resolve("x.bin"), "nothing");
        assertFailure(Run.in(folder).kiln("inspect", "--use-cpu", "all", "sd", file.toString()), 5, "x.bin");
    }

    @Test
    void commandlineArgsAreAppendedAsA1111Does() {
        Run run = Run.in(folder)
                .variable(
                        "COMMANDLINE_ARGS",
                        "--xformers --use-ipex --always-batch-cond-uncond --hypernetwork-dir \"my loras\" --skip-torch-cuda-test --max-batch-count 3")
                .kiln("version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.err().lines()).containsExactly(
                "kiln: --use-ipex has no effect: Kiln computes on NVIDIA's cards and on CPUs",
                "kiln: --always-batch-cond-uncond has no effect: it is always so",
                "kiln: --hypernetwork-dir has no effect: no hypernetworks are added to a model yet",
                "kiln: --skip-torch-cuda-test has no effect: nothing is installed or checked at the start");
        assertFailure(Run.in(folder).variable("COMMANDLINE_ARGS", "--ckpt 'x").kiln("version"), 2, "COMMANDLINE_ARGS");
    }

    @Test
    void ofAnOptionGivenTwiceTheLastCountsAndNothingElseIsForgotten() {
        Run run = Run.in(folder).demo().variable("COMMANDLINE_ARGS", "--lowvram --steps 3 --use-cpu vae -H80").kiln(
                "plan", "-W", "64", "--steps=5", "-H", "64", "--vram-budget", "1G", "--lowvram", "--use-cpu", "text", "--weights", "int8", "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("\"width\":64,\"height\":80,", "\"residency\":\"lowvram\"", "\"weights\":\"int8\"")
                .contains("\"budgetBytes\":" + ((1024L - 32) << 20) + ",")
                .contains("\"network\":\"denoiser\"")
                .doesNotContain("\"network\":\"text encoder\"", "\"network\":\"decoder\"");
        assertFailure(Run.in(folder).kiln("txt2img", "--ckpt", "none", "--steps", "0", "--steps"), 2, "'--sampling-steps' (N)");
        assertFailure(Run.in(folder).kiln("inspect", "json", "--", "--json", "--json"), 2, "");
    }

    @Test
    void a1111sFlagsAreTakenBeforeACommandToo() {
        Run run = Run.in(folder).kiln("--medvram", "--port", "7860", "--api", "version");
        assertThat(run.exitCode()).isZero();
        assertThat(run.err()).doesNotContain("--medvram").contains("--port has").contains("--api has");
        assertThat(run.out()).startsWith("kiln ");
    }

    @Test
    void ignoreCmdArgsErrorsGoesOnWithUnknownArguments() {
        Run run = Run.in(folder).variable("IGNORE_CMD_ARGS_ERRORS", "1").kiln("version", "--from-the-future");
        assertThat(run.exitCode()).isZero();
        assertThat(run.err()).isEqualTo("kiln: ignored: --from-the-future\n");
    }

    @Test
    void aBundleNeedsKilnsOwnFolderAndAFilesName() {
        assertFailure(Run.in(folder).kiln("bundle"), 3, "start it by its script");
        assertFailure(Run.in(folder).demo().kiln("bundle", "-o", folder.toString()), 2, "is a folder: name the archive");
    }

    @Test
    void theUiNeedsATerminal() {
        assertFailure(Run.in(folder).kiln(), 2, "needs a terminal");
    }

    @Test
    void aClosedPipeEndsWithoutAWord() {
        Run run = Run.in(folder).kilnWithBrokenOutput(new IOException("Broken pipe"), "completion");
        assertThat(run.exitCode()).isEqualTo(141);
        assertThat(run.err()).isEmpty();
    }

    @Test
    void aFullDiskBehindTheOutputIsTold() {
        Run run = Run.in(folder).kilnWithBrokenOutput(new IOException("No space left on device"), "version", "--json");
        assertFailure(run, 7, "No space left on device");
    }

    @Test
    void theCompletionScriptKnowsCommandsAndOptionsButNoHiddenOnes() {
        Run run = Run.in(folder).kiln("completion");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("txt2img").contains("--clip-skip").contains("complete -F").doesNotContain("--gradio-auth");
        assertThat(run.out()).contains("SAMPLER_option_args=(\"k_dpmpp_2m\"").contains("SCHEDULE_option_args=(\"automatic\"");
    }

    /** One line, the exit code, no output. */
    @Test
    void failureIsJsonWhereAProgramAsksForJson() throws IOException {
        Run run = Run.in(folder).kiln("inspect", folder.resolve("none.safetensors").toString(), "--json");
        JsonNode error = new ObjectMapper().readTree(run.err()).get("error");
        assertThat(error.get("category").asText()).isEqualTo("not_found");
        assertThat(error.get("message").asText()).contains("none.safetensors");
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.out()).isEmpty();
        assertFailure(Run.in(folder).kiln("inspect", "--", "--json"), 3, "--json");
    }

    @Test
    void aTerminalWithoutCursorMovementIsRefused() {
        assertFailure(Run.in(folder).tty().variable("TERM", "dumb").kiln(), 2, "TERM=dumb");
    }

    public static void assertFailure(Run run, int exitCode, String part) {
        assertThat(run.err()).contains(part).startsWith("kiln: ");
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.exitCode()).isEqualTo(exitCode);
        assertThat(run.out()).isEmpty();
    }
}
