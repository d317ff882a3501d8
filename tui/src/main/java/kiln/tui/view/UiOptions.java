package kiln.tui.view;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.LastParameters;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.engine.Models;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.Prompt;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.ScheduleSteps;
import kiln.tui.output.ColorDepth;

/**
 * What the terminal UI needs besides the engine. The functions are called on a thread of the UI's own after the first frame: they may
 * take their time.
 *
 * @param environment of the process; decides colours and borders
 * @param stateFolder keeps prompts between runs and the log; {@code null} keeps nothing
 * @param color {@code null} to decide by the environment
 * @param models all checkpoints, the one to begin with first
 * @param facts what a checkpoint presets, the folder's presets below it
 * @param tokenCount "9/75" for a prompt
 * @param device what computes, for the top line; empty while unknown
 * @param notes lines to show first, such as options without effect
 * @param parameters where the last job's parameters text is kept; when nowhere, no prompts are kept either
 * @param request values given on the command line, {@code null} for the model's presets
 */
public record UiOptions(
        Map<String, String> environment,
        Path stateFolder,
        ColorDepth color,
        Supplier<List<UiModel>> models,
        Function<Path, ModelFacts> facts,
        UnaryOperator<String> tokenCount,
        Supplier<String> device,
        List<String> notes,
        LastParameters parameters,
        GenerationRequest request) {
    public UiOptions {
        environment = Map.copyOf(environment);
        Objects.requireNonNull(models, "models");
        Objects.requireNonNull(facts, "facts");
        Objects.requireNonNull(tokenCount, "tokenCount");
        Objects.requireNonNull(device, "device");
        notes = List.copyOf(notes);
        Objects.requireNonNull(parameters, "parameters");
    }

    /** The usual ones: everything from the engine. */
    public static UiOptions of(Engine engine, Map<String, String> environment, Path stateFolder) {
        return new UiOptions(
                environment,
                stateFolder,
                null,
                () -> models(engine),
                checkpoint -> factsOf(checkpoint, GenerationRequest.builder().build()),
                new TokenCount(),
                () -> shortened(engine.device()),
                List.of(),
                new LastParameters(null),
                null);
    }

    /** With a web UI folder's presets, and the file that the last job's parameters text is kept in. */
    public UiOptions withDefaults(GenerationRequest defaults, LastParameters kept) {
        return new UiOptions(
                environment, stateFolder, color, models, checkpoint -> factsOf(checkpoint, defaults), tokenCount, device, notes, kept, request);
    }

    public UiOptions withRequest(GenerationRequest value) {
        return new UiOptions(environment, stateFolder, color, models, facts, tokenCount, device, notes, parameters, value);
    }

    public UiOptions withNotes(List<String> lines) {
        return new UiOptions(environment, stateFolder, color, models, facts, tokenCount, device, lines, parameters, request);
    }

    /** Without the remark in brackets, which {@code kiln doctor} tells. */
    private static String shortened(String device) {
        int remark = device.indexOf(" (");
        return remark < 0 ? device : device.substring(0, remark);
    }

    private static List<UiModel> models(Engine engine) {
        List<UiModel> models = new ArrayList<>();
        for (Models.Entry model : engine.models().list()) {
            UiModel item = new UiModel(model.path(), model.demo() ? model.stem() : model.title(), model.demo());
            boolean first = !engine.options().modelFiles().isEmpty() && engine.options().modelFiles().get(0).equals(model.path());
            models.add(first ? 0 : models.size(), item);
        }
        return models;
    }

    private static ModelFacts factsOf(Path checkpoint, GenerationRequest defaults) {
        ModelPresets presets = Models.presetsOf(checkpoint);
        List<String> names = new ArrayList<>();
        presets.vocabulary().values().forEach(names::addAll);
        int things = presets.vocabulary().getOrDefault("names", List.of()).size();
        String prompt = presets.firstPrompt().isEmpty() ? defaults.prompt() : presets.firstPrompt();
        return new ModelFacts(presets.builder(defaults).prompt(prompt).build(), names, things);
    }

    /** Loads the tokenizer with the first prompt. */
    private static final class TokenCount implements UnaryOperator<String> {
        /** Which texts a prompt's schedule has hardly depends on how many steps there are. */
        private static final ScheduleSteps STEPS = ScheduleSteps.first(20);

        private ClipTokenizer tokenizer;

        @Override
        public synchronized String apply(String prompt) {
            if (tokenizer == null) {
                tokenizer = ClipTokenizer.load();
            }
            return Prompt.positive(prompt, STEPS, PromptOptions.DEFAULT).count(tokenizer, PromptOptions.DEFAULT).toString();
        }
    }
}
