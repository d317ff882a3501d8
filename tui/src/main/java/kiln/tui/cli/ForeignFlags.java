package kiln.tui.cli;

import java.util.ArrayList;
import java.util.List;
import kiln.tui.cli.options.DeviceFlags;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A1111's command line flags that Kiln takes without doing anything, so that people's existing start lines work. Those that would do
 * something in A1111 leave a note.
 */
final class ForeignFlags {
    private static final String[] NOT_YET = words(
            "disable-nan-check share listen api nowebui api-log "
                    + "api-server-stop disable-tls-verify freeze-settings no-hashing no-prompt-history unix-filenames-sanitization "
                    + "enable-console-prompts dump-sysinfo allow-code disable-safe-unpickle");
    private static final String[] NOT_YET_WITH_VALUE = words(
            "vae-path vae-dir embeddings-dir hypernetwork-dir lora-dir lyco-dir-backcompat config styles-file "
                    + "gfpgan-models-path gfpgan-dir gfpgan-model codeformer-models-path bsrgan-models-path "
                    + "dat-models-path scunet-models-path swinir-models-path ldsr-models-path "
                    + "clip-models-path localizations-dir textual-inversion-templates-dir ui-config-file ui-settings-file server-name "
                    + "port ngrok ngrok-options gradio-auth gradio-auth-path api-auth cors-allow-origins "
                    + "cors-allow-origins-regex tls-keyfile tls-certfile subpath timeout-keep-alive freeze-settings-in-sections "
                    + "freeze-specific-settings theme filenames-max-length loglevel");
    /** They choose how torch computes attention or lays out tensors: Kiln's executors choose for themselves. */
    private static final String[] CHOSEN_BY_ITSELF = words(
            "xformers-flash-attention opt-channelslast disable-model-loading-ram-optimization lowram use-ipex");
    private static final String[] CHOSEN_BY_ITSELF_WITH_VALUE =
            words("sub-quad-q-chunk-size sub-quad-kv-chunk-size sub-quad-chunk-threshold");
    private static final String[] ALWAYS_SO = words("always-batch-cond-uncond");
    /** No-ops of A1111 itself, and flags about things that Kiln does not have: nothing is lost by not heeding them. */
    private static final String[] SILENT = words(
            "medvram-sdxl unload-gfpgan deepdanbooru show-negative-prompt gradio-queue add-stop-route skip-torch-cuda-test "
                    + "skip-load-model-at-start hide-ui-dir-config autolaunch no-download-sd-model "
                    + "do-not-download-clip disable-console-progressbars use-textbox-seed ui-debug-mode disable-all-extensions "
                    + "disable-extra-extensions enable-insecure-extension-access skip-python-version-check skip-version-check "
                    + "skip-install skip-prepare-environment reinstall-xformers reinstall-torch update-check update-all-extensions");
    private static final String[] SILENT_WITH_VALUE =
            words("max-batch-count ngrok-region gradio-img2img-tool gradio-inpaint-tool gradio-allowed-path");

    private final List<String> notes = new ArrayList<>();

    private static String[] words(String text) {
        return text.split(" ");
    }

    /** Adds the flags to a command, hidden from its help. Flags that the command has itself are left alone. */
    void addTo(CommandSpec command) {
        add(command, NOT_YET, false, " has no effect yet");
        add(command, NOT_YET_WITH_VALUE, true, " has no effect yet");
        add(command, CHOSEN_BY_ITSELF, false, " has no effect: Kiln chooses the fastest way by itself");
        add(command, CHOSEN_BY_ITSELF_WITH_VALUE, true, " has no effect: Kiln chooses the fastest way by itself");
        add(command, ALWAYS_SO, false, " has no effect: it is always so");
        add(command, SILENT, false, null);
        add(command, SILENT_WITH_VALUE, true, null);
        if (!command.optionsMap().containsKey("--device-id")) {
            // How to use a card means nothing to commands that compute nothing, but may stand in COMMANDLINE_ARGS.
            for (OptionSpec flag : CommandSpec.forAnnotatedObject(new DeviceFlags()).options()) {
                add(command, new String[] {flag.longestName().substring(2)}, flag.arity().min() > 0, null);
            }
        }
    }

    private void add(CommandSpec command, String[] names, boolean takesValue, String note) {
        for (String plain : names) {
            String name = "--" + plain;
            if (command.optionsMap().containsKey(name)) {
                continue;
            }
            ISetter setter = new ISetter() {
                @Override
                public <T> T set(T value) {
                    if (note != null && value != null && !Boolean.FALSE.equals(value) && !notes.contains(name + note)) {
                        notes.add(name + note);
                    }
                    return null;
                }
            };
            command.addOption(OptionSpec.builder(name)
                    .arity(takesValue ? "1" : "0")
                    .type(takesValue ? String.class : boolean.class)
                    .hidden(true)
                    .setter(setter)
                    .build());
        }
    }

    /** One line for each flag that was given in vain, in the order of the command line. */
    List<String> notes() {
        return notes;
    }
}
