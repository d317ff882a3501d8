package kiln.runtime.script;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.GenerationRequest.Variation;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.text.ShellWords;
import kiln.runtime.text.Style;

/**
 * Prompts from a file: each line a request. A line that has "--" in it is read as {@code --key value} with a shell's quoting, as
 * {@code --prompt "a cat" --steps 30}; one that cannot be read so is a prompt as it stands. Empty lines are passed over.
 *
 * @param requests in the order of the lines
 * @param notices what of the lines does nothing here, a line each
 */
public record PromptLines(List<GenerationRequest> requests, List<String> notices) {
    private static final int MOST_LINES = 100_000;

    /** Those that change no picture, or not here. */
    private static final Set<String> IDLE = Set.of(
            "outpath_samples", "outpath_grids", "prompt_for_display", "sampler_index", "restore_faces", "tiling", "do_not_save_samples",
            "do_not_save_grid");

    /** What A1111's page has below the field. */
    public enum Seeds {
        /** Each line has the request's, which may be random. */
        AS_GIVEN,
        /** A random one is drawn once, and each line has the next. */
        NEXT_EACH_LINE,
        /** A random one is drawn once for all lines. */
        SAME_FOR_ALL
    }

    public PromptLines {
        requests = List.copyOf(requests);
        notices = List.copyOf(notices);
    }

    /**
     * @param base what lines do not say; its prompts are put before or behind theirs
     * @param baseFirst whether the base's prompts stand before the lines'
     * @throws KilnException {@code BAD_REQUEST} when a line asks for something impossible, naming the line
     */
    public static PromptLines of(
            String text, GenerationRequest base, boolean baseFirst, Seeds seeds, Axis.Names names, LongSupplier random) {
        boolean draws = seeds != Seeds.AS_GIVEN && base.seed() < 0;
        GenerationRequest next = draws ? base.toBuilder().seed(random.getAsLong()).build() : base;
        List<GenerationRequest> requests = new ArrayList<>();
        List<String> notices = new ArrayList<>();
        int number = 0;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            String stripped = line.strip();
            if (stripped.isEmpty()) {
                continue;
            }
            if (requests.size() == MOST_LINES) {
                throw KilnException.badRequest("there are more than " + MOST_LINES + " lines of prompts");
            }
            try {
                requests.add(request(values(stripped), next, baseFirst, names, number, notices));
            } catch (KilnException e) {
                throw new KilnException(e.category(), "line " + number + ": " + e.getMessage(), e);
            }
            if (seeds == Seeds.NEXT_EACH_LINE) {
                next = next.toBuilder().seed(next.seed() + next.pictureCount()).build();
            }
        }
        return new PromptLines(requests, notices);
    }

    /** A line's keys and values; {@code prompt} alone for one that is not made of such. */
    private static Map<String, String> values(String line) {
        Map<String, String> prompt = Map.of("prompt", line);
        if (!line.contains("--")) {
            return prompt;
        }
        List<String> words;
        try {
            words = ShellWords.split(line, "it");
        } catch (KilnException e) {
            return prompt;
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < words.size(); ) {
            String key = words.get(i).startsWith("--") ? words.get(i).substring(2) : "";
            if (!Line.KEYS.contains(key) && !IDLE.contains(key) || i + 1 == words.size()) {
                return prompt;
            }
            StringBuilder value = new StringBuilder(words.get(i + 1));
            i += 2;
            // Prompts go on until the next key.
            while (key.endsWith("prompt") && i < words.size() && !words.get(i).startsWith("--")) {
                value.append(' ').append(words.get(i++));
            }
            if (!Line.reads(key, value.toString())) {
                return prompt;
            }
            values.put(key, value.toString());
        }
        return values;
    }

    private static GenerationRequest request(
            Map<String, String> values, GenerationRequest base, boolean baseFirst, Axis.Names names, int number, List<String> notices) {
        Line line = new Line(base);
        values.forEach((key, value) -> {
            if (IDLE.contains(key)) {
                notices.add("line " + number + ": --" + key + " does nothing here");
            } else {
                line.set(key, value, names);
            }
        });
        Style.Prompts prompts = new Style.Prompts(
                joined(values.getOrDefault("prompt", ""), base.prompt(), baseFirst),
                joined(values.getOrDefault("negative_prompt", ""), base.negativePrompt(), baseFirst));
        if (values.containsKey("styles")) {
            List<String> styles = List.of(values.get("styles").split(","));
            styles.forEach(names.styles()::named);
            prompts = names.styles().apply(prompts, styles);
        }
        return line.request.prompt(prompts.prompt()).negativePrompt(prompts.negativePrompt()).build();
    }

    private static String joined(String own, String base, boolean baseFirst) {
        if (own.isEmpty() || base.isEmpty()) {
            return own + base;
        }
        return baseFirst ? base + " " + own : own + " " + base;
    }

    /** The request that a line makes of the base. */
    private static final class Line {
        static final Set<String> KEYS = Set.of(
                "prompt", "negative_prompt", "styles", "sd_model", "seed", "subseed", "subseed_strength", "seed_resize_from_w",
                "seed_resize_from_h", "sampler_name", "scheduler", "batch_size", "n_iter", "steps", "cfg_scale", "width", "height");
        private static final Set<String> TEXTS = Set.of("prompt", "negative_prompt", "styles", "sd_model", "sampler_name", "scheduler");
        private static final Set<String> DECIMALS = Set.of("subseed_strength", "cfg_scale");

        final GenerationRequest.Builder request;
        private Variation variation;

        Line(GenerationRequest base) {
            request = base.toBuilder();
            variation = base.variation();
        }

        /** Whether the value is of the key's kind. */
        static boolean reads(String key, String value) {
            return TEXTS.contains(key) || IDLE.contains(key)
                    || value.matches(DECIMALS.contains(key) ? "[+-]?\\d{1,9}(\\.\\d{0,18})?" : "[+-]?\\d{1,18}");
        }

        void set(String key, String value, Axis.Names names) {
            switch (key) {
                case "sd_model" -> request.model(names.models().apply(value));
                case "seed" -> request.seed(Long.parseLong(value));
                case "subseed" ->
                        vary(Long.parseLong(value), variation.strength(), variation.resizeFromWidth(), variation.resizeFromHeight());
                case "subseed_strength" ->
                        vary(variation.seed(), Double.parseDouble(value), variation.resizeFromWidth(), variation.resizeFromHeight());
                case "seed_resize_from_w" -> vary(variation.seed(), variation.strength(), whole(value), variation.resizeFromHeight());
                case "seed_resize_from_h" -> vary(variation.seed(), variation.strength(), variation.resizeFromWidth(), whole(value));
                case "sampler_name" -> {
                    SamplerChoice choice = SamplerChoice.find(value, request.build().schedule());
                    request.sampler(choice.sampler().label()).schedule(choice.schedule().label());
                }
                case "scheduler" -> request.schedule(value);
                case "batch_size" -> request.batchSize(whole(value));
                case "n_iter" -> request.batchCount(whole(value));
                case "steps" -> request.steps(whole(value));
                case "cfg_scale" -> request.cfgScale(Double.parseDouble(value));
                case "width" -> request.width(whole(value));
                case "height" -> request.height(whole(value));
                default -> { }
            }
        }

        private void vary(long seed, double strength, int width, int height) {
            variation = new Variation(seed, strength, width, height);
            request.variation(variation);
        }

        private static int whole(String value) {
            return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, Long.parseLong(value)));
        }
    }
}
