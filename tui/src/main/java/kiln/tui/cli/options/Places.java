package kiln.tui.cli.options;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.AddOnFolders;
import kiln.runtime.engine.ModelOptions;
import kiln.runtime.engine.Models;
import kiln.runtime.engine.Upscalers;
import kiln.tui.cli.base.CliContext;

/**
 * Where Kiln's files are: the XDG base directories, each overridden by a {@code KILN_…} variable, and that by an option. All paths are
 * absolute; none need exist.
 *
 * @param home Kiln's own folder, {@code null} when it was started without its script
 * @param data parent of {@code models/} and {@code outputs/}, A1111's {@code --data-dir}
 * @param models parent of {@code Stable-diffusion/}, A1111's {@code --models-dir}
 * @param outputs parent of {@code txt2img-images/}
 * @param webUi what the data folder says when it is a web UI's
 * @param parametersFile where the last job's parameters text is kept, A1111's {@code params.txt}; {@code null} keeps none
 * @param checkpointFolders folders searched for checkpoints, in order
 * @param addOns folders of files that prompts may add to a model
 * @param upscalerFolders folders searched for upscalers, in order
 * @param demoModel the bundled model, {@code null} when it was left out
 */
public record Places(
        Path home,
        Path config,
        Path cache,
        Path state,
        Path data,
        Path models,
        Path outputs,
        WebUiFolder webUi,
        Path parametersFile,
        List<Path> checkpointFolders,
        AddOnFolders addOns,
        List<Path> upscalerFolders,
        Path demoModel) {
    public Places {
        checkpointFolders = List.copyOf(checkpointFolders);
        upscalerFolders = List.copyOf(upscalerFolders);
    }

    /** @param notices told in one line of each thing in a web UI's files that is not taken, now and later */
    static Places of(PlaceOptions options, CliContext context, Consumer<String> notices) {
        Path config = folder(options.configFolder, "KILN_CONFIG_DIR", "XDG_CONFIG_HOME", ".config", context);
        Path cache = folder(options.cacheFolder, "KILN_CACHE_DIR", "XDG_CACHE_HOME", ".cache", context);
        Path state = folder(options.stateFolder, "KILN_STATE_DIR", "XDG_STATE_HOME", ".local/state", context);
        Path data = folder(options.dataFolder, "KILN_DATA_DIR", "XDG_DATA_HOME", ".local/share", context);
        Path models = chosen(options.modelsFolder, "KILN_MODELS_DIR", context);
        if (models == null) {
            models = data.resolve("models");
        }
        Path outputs = chosen(options.outputFolder, "KILN_OUTPUT_DIR", context);
        WebUiFolder webUi = WebUiFolder.read(
                data,
                outputs,
                file(options.settingsFile, data, "config.json"),
                file(options.uiConfigFile, data, "ui-config.json"),
                notices);
        if (outputs == null) {
            outputs = data.resolve("outputs");
        }
        List<Path> checkpointFolders = new ArrayList<>();
        checkpointFolders.add(models.resolve("Stable-diffusion"));
        Path more = chosen(options.checkpointFolder, "KILN_CKPT_DIR", context);
        if (more != null) {
            checkpointFolders.add(more);
        }
        List<Path> loraFolders = new ArrayList<>(List.of(models.resolve("Lora"), models.resolve("LyCORIS")));
        Path moreLoras = chosen(options.loraFolder, "KILN_LORA_DIR", context);
        if (moreLoras != null) {
            loraFolders.add(moreLoras);
        }
        Path embeddings = chosen(options.embeddingFolder, "KILN_EMBEDDINGS_DIR", context);
        AddOnFolders addOns = new AddOnFolders(loraFolders, List.of(embeddings == null ? data.resolve("embeddings") : embeddings));
        List<Path> upscalerFolders = new ArrayList<>(List.of(models.resolve("ESRGAN"), models.resolve("RealESRGAN")));
        for (Path folder : new Path[] {options.esrganFolder, options.realEsrganFolder}) {
            if (folder != null) {
                upscalerFolders.add(folder.toAbsolutePath().normalize());
            }
        }
        Path demo = context.home() == null ? null : context.home().resolve("runtime/demo/kiln-demo.safetensors");
        if (demo != null && !Files.isRegularFile(demo)) {
            demo = null;
        }
        return new Places(
                context.home(), config, cache, state, data, models, outputs, webUi,
                options.noPromptHistory ? null : data.resolve("params.txt"),
                checkpointFolders, addOns, upscalerFolders, demo);
    }

    private static Path file(Path option, Path data, String usual) {
        return option == null ? data.resolve(usual) : option.toAbsolutePath().normalize();
    }

    private static Path folder(Path option, String variable, String xdgVariable, String underHome, CliContext context) {
        Path chosen = chosen(option, variable, context);
        if (chosen != null) {
            return chosen;
        }
        String base = context.variable(xdgVariable);
        // The XDG specification: a relative path is to be ignored.
        if (base != null && base.startsWith("/")) {
            return path(base, xdgVariable).resolve("kiln");
        }
        String user = context.variable("HOME");
        return path(user == null ? System.getProperty("user.home") : user, "HOME").resolve(underHome).resolve("kiln").toAbsolutePath();
    }

    private static Path chosen(Path option, String variable, CliContext context) {
        if (option != null) {
            return option.toAbsolutePath().normalize();
        }
        String value = context.variable(variable);
        return value == null ? null : path(value, variable).toAbsolutePath().normalize();
    }

    private static Path path(String text, String variable) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw KilnException.badRequest(variable + " is not a path: " + e.getMessage());
        }
    }

    /** What these files, the folders and the demo model offer. */
    Models models(List<Path> checkpoints, ModelOptions options) {
        return new Models(checkpoints, checkpointFolders, demoModel, cache, options);
    }

    /** What the folders for upscalers offer. */
    public Upscalers upscalers() {
        return new Upscalers(upscalerFolders);
    }

    /** Every place with the name it is shown under, for {@code kiln doctor}. */
    public Map<String, Path> named() {
        Map<String, Path> places = new LinkedHashMap<>();
        places.put("home", home);
        places.put("config", config);
        places.put("cache", cache);
        places.put("state", state);
        places.put("data", data);
        places.put("models", models);
        places.put("outputs", outputs);
        places.put("settings", webUi.settings().file());
        places.put("demoModel", demoModel);
        return places;
    }
}
