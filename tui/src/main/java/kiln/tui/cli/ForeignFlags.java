package kiln.tui.cli;

import java.util.ArrayList;
import java.util.List;
import kiln.tui.cli.options.DeviceFlags;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A1111's command line flags that Kiln takes without doing anything, so that people's existing start lines work. Each that does something
 * in A1111 leaves a note that says why it does nothing here.
 */
final class ForeignFlags {
    /**
     * Flags with one reason.
     *
     * @param reason {@code null} for those that do nothing in A1111 either
     * @param plain names without dashes and with blanks between them
     * @param withValue those that take a value
     */
    private record Group(String reason, String plain, String withValue) {}

    private static final List<Group> GROUPS = List.of(
            new Group(
                    null,
                    "unload-gfpgan deepdanbooru show-negative-prompt gradio-queue add-stop-route",
                    "max-batch-count ngrok-region gradio-img2img-tool gradio-inpaint-tool"),
            new Group(
                    "Kiln chooses the fastest way by itself",
                    "xformers-flash-attention opt-channelslast",
                    "sub-quad-q-chunk-size sub-quad-kv-chunk-size sub-quad-chunk-threshold"),
            new Group("weights are read from the mapped file, one after the other", "disable-model-loading-ram-optimization", ""),
            new Group("it is always so", "always-batch-cond-uncond", ""),
            new Group("Kiln computes on NVIDIA's cards and on CPUs", "use-ipex", ""),
            new Group("there are no SDXL models here yet", "medvram-sdxl", ""),
            new Group("results that are no numbers are always looked for", "disable-nan-check", ""),
            new Group("the model is read with the first picture", "skip-load-model-at-start ui-debug-mode", ""),
            new Group("no pickle is ever executed here", "disable-safe-unpickle", ""),
            new Group("no code is run from scripts or prompts", "allow-code", ""),
            new Group("nothing is ever downloaded", "no-download-sd-model do-not-download-clip", ""),
            new Group(
                    "nothing is installed or checked at the start",
                    "skip-torch-cuda-test skip-python-version-check skip-version-check skip-install skip-prepare-environment reinstall-xformers"
                            + " reinstall-torch update-check update-all-extensions no-tests",
                    "tests"),
            new Group(
                    "there are no extensions here",
                    "disable-all-extensions disable-extra-extensions enable-insecure-extension-access",
                    ""),
            new Group(
                    "there is no server here yet",
                    "listen share api nowebui api-log api-server-stop disable-tls-verify autolaunch gradio-debug no-gradio-queue"
                            + " no-progressbar-hiding",
                    "server-name port ngrok ngrok-options gradio-auth gradio-auth-path gradio-allowed-path api-auth cors-allow-origins"
                            + " cors-allow-origins-regex tls-keyfile tls-certfile subpath timeout-keep-alive"),
            new Group(
                    "settings are read here, never written",
                    "freeze-settings hide-ui-dir-config",
                    "freeze-settings-in-sections freeze-specific-settings"),
            new Group("the terminal's own colours are used", "", "theme"),
            new Group("the seed's field takes any number", "use-textbox-seed", ""),
            new Group("kiln doctor --json tells it", "dump-sysinfo", ""),
            new Group("failures are told in one line, and by KILN_DEBUG=1 in full", "", "loglevel"),
            new Group("Kiln speaks English only", "", "localizations-dir"),
            new Group("nothing is trained here", "", "textual-inversion-templates-dir"),
            new Group("no hypernetworks are added to a model yet", "", "hypernetwork-dir"),
            new Group("models/LyCORIS is searched, too, and --lora-dir names one more folder", "", "lyco-dir-backcompat"),
            new Group("faces are not restored yet", "", "gfpgan-dir gfpgan-model gfpgan-models-path codeformer-models-path"),
            new Group(
                    "upscalers are those of the ESRGAN family",
                    "",
                    "bsrgan-models-path dat-models-path scunet-models-path swinir-models-path ldsr-models-path"),
            new Group("pictures are not described yet", "", "clip-models-path"));

    private final List<String> notes = new ArrayList<>();

    /** Adds the flags to a command, hidden from its help. Flags that the command has itself are left alone. */
    void addTo(CommandSpec command) {
        for (Group group : GROUPS) {
            add(command, group.plain, false, group.reason);
            add(command, group.withValue, true, group.reason);
        }
        if (!command.optionsMap().containsKey("-f")) {
            // For webui.sh, which else refuses to run as root.
            command.addOption(OptionSpec.builder("-f").arity("0").type(boolean.class).hidden(true).build());
        }
        if (!command.optionsMap().containsKey("--device-id")) {
            // How to use a card means nothing to commands that compute nothing, but may stand in COMMANDLINE_ARGS.
            for (OptionSpec flag : CommandSpec.forAnnotatedObject(new DeviceFlags()).options()) {
                add(command, flag.longestName().substring(2), flag.arity().min() > 0, null);
            }
        }
    }

    private void add(CommandSpec command, String names, boolean takesValue, String reason) {
        for (String plain : names.isEmpty() ? new String[0] : names.split(" ")) {
            String name = "--" + plain;
            if (command.optionsMap().containsKey(name)) {
                continue;
            }
            String note = name + " has no effect: " + reason;
            ISetter setter = new ISetter() {
                @Override
                public <T> T set(T value) {
                    if (reason != null && value != null && !Boolean.FALSE.equals(value) && !notes.contains(note)) {
                        notes.add(note);
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
