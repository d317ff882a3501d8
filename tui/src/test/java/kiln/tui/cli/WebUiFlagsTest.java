package kiln.tui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of every flag of A1111 1.10.1 (and some of 2022): none is refused, none does nothing in silence but those that never did. */
class WebUiFlagsTest {
    /** Flags by what happens to them; those with "=" take a value. */
    private static final String ACTS = """
            data-dir=F models-dir=F ckpt=F ckpt-dir=F ui-config-file=F ui-settings-file=F no-prompt-history
            medvram lowvram lowram precision=full no-half no-half-vae upcast-sampling device-id=0 use-cpu=all
            xformers force-enable-xformers opt-split-attention opt-split-attention-v1 opt-split-attention-invokeai opt-sub-quad-attention
            opt-sdp-attention opt-sdp-no-mem-attention disable-opt-split-attention
            disable-console-progressbars enable-console-prompts vae-dir=F no-hashing styles-file=F unix-filenames-sanitization
            filenames-max-length=128 embeddings-dir=F lora-dir=F esrgan-models-path=F realesrgan-models-path=F
            """;

    private static final String SAYS_WHY_NOT = """
            hypernetwork-dir=F lyco-dir-backcompat=F
            gfpgan-models-path=F gfpgan-dir=F gfpgan-model=F codeformer-models-path=F bsrgan-models-path=F
            dat-models-path=F scunet-models-path=F swinir-models-path=F ldsr-models-path=F clip-models-path=F
            localizations-dir=F textual-inversion-templates-dir=F
            medvram-sdxl always-batch-cond-uncond opt-channelslast disable-nan-check disable-model-loading-ram-optimization use-ipex
            skip-torch-cuda-test xformers-flash-attention sub-quad-q-chunk-size=1024 sub-quad-kv-chunk-size=1 sub-quad-chunk-threshold=70
            listen server-name=h port=7861 share ngrok=t ngrok-options={} gradio-auth=u:p gradio-auth-path=F gradio-allowed-path=F
            api nowebui api-auth=u:p api-log api-server-stop cors-allow-origins=* cors-allow-origins-regex=.* tls-keyfile=F tls-certfile=F
            disable-tls-verify subpath=/x timeout-keep-alive=30 skip-load-model-at-start freeze-settings
            freeze-settings-in-sections=saving-images freeze-specific-settings=samples_save hide-ui-dir-config theme=dark autolaunch
            disable-safe-unpickle no-download-sd-model do-not-download-clip
            loglevel=INFO dump-sysinfo allow-code use-textbox-seed ui-debug-mode disable-all-extensions disable-extra-extensions
            enable-insecure-extension-access skip-python-version-check skip-version-check skip-install skip-prepare-environment
            reinstall-xformers reinstall-torch update-check update-all-extensions no-tests tests=F gradio-debug no-gradio-queue
            no-progressbar-hiding
            """;

    private static final String DOES_NOTHING_IN_A1111_EITHER = """
            max-batch-count=3 unload-gfpgan deepdanbooru show-negative-prompt gradio-queue add-stop-route ngrok-region=us
            gradio-img2img-tool=x gradio-inpaint-tool=x
            """;

    @TempDir
    private Path folder;

    private static List<String> flags(String table) {
        return Stream.of(table.strip().split("\\s+")).map(flag -> "--" + flag).toList();
    }

    private static Stream<String> sayingWhyNot() {
        return flags(SAYS_WHY_NOT).stream();
    }

    private String notesOf(String flag) {
        Run run = Run.in(folder).variable("COMMANDLINE_ARGS", flag.replaceFirst("=", " ")).kiln("version");
        assertThat(run.exitCode()).as(flag + ": " + run.err()).isZero();
        return run.err();
    }

    @Test
    void flagsThatActAndThoseThatNeverDidAreTakenInSilence() {
        for (String table : new String[] {ACTS, DOES_NOTHING_IN_A1111_EITHER}) {
            assertThat(notesOf(String.join(" ", flags(table)).replace('=', ' ') + " -f")).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("sayingWhyNot")
    void aFlagThatDoesNothingHereSaysWhy(String flag) {
        assertThat(notesOf(flag)).matches("kiln: \\Q" + flag.replaceFirst("=.*", "") + "\\E has no effect: \\w[^\n]{10,90}\n");
    }

    @Test
    void everyCommandTakesAllOfThem() {
        String all = String.join(" ", flags(ACTS + SAYS_WHY_NOT + DOES_NOTHING_IN_A1111_EITHER)).replace('=', ' ').replace("--ckpt F ", "");
        for (String command : List.of("models", "settings", "doctor")) {
            Run run = Run.in(folder).variable("COMMANDLINE_ARGS", all).kiln(command, "--json");
            assertThat(run.exitCode()).as(run.err()).isZero();
            assertThat(run.err().lines()).hasSize(flags(SAYS_WHY_NOT).size());
        }
    }
}
