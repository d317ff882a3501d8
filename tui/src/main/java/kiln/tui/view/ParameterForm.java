package kiln.tui.view;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.Setting;
import kiln.runtime.job.Settings;
import kiln.runtime.sampling.Sampler;
import kiln.runtime.sampling.Schedule;

/** The values of the fields, their defaults, and the number being typed. What is not possible is refused with the reason. */
final class ParameterForm {
    private static final int[][] SIZES = {{512, 512}, {512, 768}, {768, 512}, {640, 640}, {768, 768}, {1024, 1024}, {256, 256}};
    private static final int MAX_ENTRY = 20;

    private GenerationRequest values = GenerationRequest.builder().build();
    private GenerationRequest defaults = values;
    private List<UiModel> models = List.of();
    private UiModel model;
    private Parameter selected = Parameter.STEPS;
    private String entry;

    GenerationRequest values() {
        return values;
    }

    GenerationRequest defaults() {
        return defaults;
    }

    UiModel model() {
        return model;
    }

    List<UiModel> models() {
        return models;
    }

    void models(List<UiModel> found) {
        models = List.copyOf(found);
        if (model == null && !models.isEmpty()) {
            model = models.get(0);
        }
    }

    void model(UiModel chosen) {
        model = chosen;
    }

    Parameter selected() {
        return selected;
    }

    void select(Parameter parameter) {
        commit();
        selected = parameter;
    }

    /** The digits being typed, {@code null} when none are. */
    String entry() {
        return entry;
    }

    /** New defaults: fields that the person has not changed follow. */
    void defaults(GenerationRequest fresh) {
        GenerationRequest.Builder builder = values.toBuilder();
        for (Parameter parameter : Parameter.values()) {
            if (!isChanged(parameter)) {
                copy(parameter, fresh, builder);
            }
        }
        values = builder.build();
        defaults = fresh;
    }

    /** Takes all values of a request but its texts. */
    void take(GenerationRequest request) {
        entry = null;
        values = request.toBuilder().prompt("").negativePrompt("").model(null).build();
        models.stream().filter(m -> m.path().equals(request.model())).findFirst().ifPresent(m -> model = m);
    }

    boolean isChanged(Parameter parameter) {
        return !raw(parameter, values).equals(raw(parameter, defaults));
    }

    void reset() {
        entry = null;
        GenerationRequest.Builder builder = values.toBuilder();
        copy(selected, defaults, builder);
        values = builder.build();
    }

    /** As the field shows it. */
    String text(Parameter parameter) {
        if (parameter == selected && entry != null) {
            return entry;
        }
        return switch (parameter) {
            case MODEL -> model == null ? "none" : model.title();
            case SEED -> values.seed() < 0 ? "random" : Long.toString(values.seed());
            case CFG_SCALE -> number(values.cfgScale());
            case HIRES -> hires(values.hires());
            case SETTINGS -> settings(values.settings());
            default -> raw(parameter, values);
        };
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.format(Locale.ROOT, "%.1f", value) : BigDecimal.valueOf(value).toPlainString();
    }

    private static String hires(HiresPass hires) {
        if (hires == null) {
            return "no hires";
        }
        boolean sized = hires.width() != 0 || hires.height() != 0;
        return "hires " + (sized ? hires.width() + "×" + hires.height() : BigDecimal.valueOf(hires.scale()).stripTrailingZeros().toPlainString() + "×");
    }

    /** "ENSD 31337, Eta 0.6". */
    private static String settings(Settings settings) {
        String changed = settings.values().entrySet().stream()
                .filter(entry -> entry.getKey() != Setting.CLIP_SKIP)
                .map(entry -> entry.getKey().label().orElse(entry.getKey().configName()) + " " + entry.getValue())
                .collect(Collectors.joining(", "));
        return changed.isEmpty() ? "as usual" : changed;
    }

    private String raw(Parameter parameter, GenerationRequest from) {
        return switch (parameter) {
            case MODEL -> "";
            case SAMPLER -> from.sampler();
            case SCHEDULE -> from.schedule();
            case STEPS -> Integer.toString(from.steps());
            case CFG_SCALE -> Double.toString(from.cfgScale());
            case WIDTH -> Integer.toString(from.width());
            case HEIGHT -> Integer.toString(from.height());
            case SEED -> Long.toString(from.seed());
            case BATCH_SIZE -> Integer.toString(from.batchSize());
            case BATCH_COUNT -> Integer.toString(from.batchCount());
            case CLIP_SKIP -> Integer.toString(from.clipSkip());
            case HIRES -> String.valueOf(from.hires());
            case SETTINGS -> settings(from.settings());
        };
    }

    private static void copy(Parameter parameter, GenerationRequest from, GenerationRequest.Builder to) {
        switch (parameter) {
            case MODEL -> {}
            case SAMPLER -> to.sampler(from.sampler());
            case SCHEDULE -> to.schedule(from.schedule());
            case STEPS -> to.steps(from.steps());
            case CFG_SCALE -> to.cfgScale(from.cfgScale());
            case WIDTH -> to.width(from.width());
            case HEIGHT -> to.height(from.height());
            case SEED -> to.seed(from.seed());
            case BATCH_SIZE -> to.batchSize(from.batchSize());
            case BATCH_COUNT -> to.batchCount(from.batchCount());
            case CLIP_SKIP -> to.clipSkip(from.clipSkip());
            case HIRES -> to.hires(from.hires());
            case SETTINGS -> {
                int clipSkip = to.build().clipSkip();
                to.settings(from.settings()).clipSkip(clipSkip);
            }
        }
    }

    /** Types a digit, sign or point into the selected field; the first replaces its value. */
    void type(char c) {
        if (entry == null) {
            entry = "";
        }
        if (entry.length() < MAX_ENTRY) {
            entry += c;
        }
    }

    void deleteTyped() {
        if (entry == null) {
            String now = text(selected);
            entry = now.equals("random") ? "" : now;
        }
        entry = entry.isEmpty() ? "" : entry.substring(0, entry.length() - 1);
    }

    void abandon() {
        entry = null;
    }

    /**
     * Takes what was typed.
     *
     * @throws KilnException when the value is not possible; the field keeps the one before
     */
    void commit() {
        if (entry == null) {
            return;
        }
        String typed = entry;
        entry = null;
        if (!typed.isEmpty()) {
            set(selected, typed);
        }
    }

    /** A step up or down, or to the list's neighbour. */
    void step(int direction) {
        commit();
        switch (selected) {
            case MODEL, SAMPLER, SCHEDULE -> {
                List<String> all = choices();
                if (!all.isEmpty()) {
                    choose(Math.floorMod(chosen() + direction, all.size()));
                }
            }
            case CFG_SCALE -> set(selected, number(bounded(values.cfgScale() + 0.5 * direction, 0, 100)));
            case SEED -> set(selected, Long.toString(Math.max(-1, values.seed() + direction)));
            case WIDTH, HEIGHT -> {
                int now = selected == Parameter.WIDTH ? values.width() : values.height();
                // Below 256 the demo model's sizes: finer steps.
                int step = now < 256 || now == 256 && direction < 0 ? 8 : 64;
                set(selected, Integer.toString((int) bounded(now + step * direction, 8, GenerationRequest.MAX_SIDE)));
            }
            case STEPS -> stepWhole(direction, GenerationRequest.MAX_STEPS);
            case BATCH_SIZE -> stepWhole(direction, 64);
            case BATCH_COUNT -> stepWhole(direction, 10_000);
            case CLIP_SKIP -> stepWhole(direction, 12);
            case HIRES -> {
                double now = values.hires() == null ? 1 : values.hires().scale();
                set(selected, Double.toString(bounded(now + 0.25 * direction, 1, 4)));
            }
            case SETTINGS -> {}
        }
    }

    /** The pass there is, or A1111's usual one, so many times larger; none at 1 and below. */
    private HiresPass hires(double scale) {
        if (scale <= 1) {
            return null;
        }
        return (values.hires() == null ? HiresPass.usual() : values.hires()).enlarging(scale);
    }

    private void stepWhole(int direction, int most) {
        set(selected, Integer.toString((int) bounded(Integer.parseInt(raw(selected, values)) + direction, 1, most)));
    }

    private static double bounded(double value, double least, double most) {
        return Math.max(least, Math.min(most, value));
    }

    private void set(Parameter parameter, String text) {
        GenerationRequest.Builder builder = values.toBuilder();
        try {
            switch (parameter) {
                case MODEL -> {}
                case SAMPLER -> builder.sampler(text);
                case SCHEDULE -> builder.schedule(text);
                case STEPS -> builder.steps(Integer.parseInt(text));
                case CFG_SCALE -> builder.cfgScale(Double.parseDouble(text));
                case WIDTH -> builder.width(Integer.parseInt(text));
                case HEIGHT -> builder.height(Integer.parseInt(text));
                case SEED -> builder.seed(Long.parseLong(text));
                case BATCH_SIZE -> builder.batchSize(Integer.parseInt(text));
                case BATCH_COUNT -> builder.batchCount(Integer.parseInt(text));
                case CLIP_SKIP -> builder.clipSkip(Integer.parseInt(text));
                case HIRES -> builder.hires(hires(Double.parseDouble(text)));
                case SETTINGS -> {}
            }
        } catch (NumberFormatException e) {
            throw KilnException.badRequest(parameter.label() + ": '" + text + "' is not a number that fits");
        }
        values = builder.build();
    }

    /** What the selected field's list offers; empty when it has none. */
    List<String> choices() {
        return switch (selected) {
            case MODEL -> models.stream().map(UiModel::title).toList();
            case SAMPLER -> Arrays.stream(Sampler.values()).map(Sampler::label).toList();
            case SCHEDULE -> Arrays.stream(Schedule.values()).map(Schedule::label).toList();
            case WIDTH, HEIGHT -> sizes().stream().map(s -> s[0] + " × " + s[1]).toList();
            default -> List.of();
        };
    }

    /** The place of the present value in the list, 0 when it is not there. */
    int chosen() {
        List<String> all = choices();
        String now = switch (selected) {
            case MODEL -> model == null ? "" : model.title();
            case WIDTH, HEIGHT -> values.width() + " × " + values.height();
            default -> raw(selected, values);
        };
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).equalsIgnoreCase(now)) {
                return i;
            }
        }
        return 0;
    }

    void choose(int index) {
        entry = null;
        switch (selected) {
            case MODEL -> model = models.get(index);
            case WIDTH, HEIGHT -> {
                int[] size = sizes().get(index);
                values = values.toBuilder().width(size[0]).height(size[1]).build();
            }
            default -> set(selected, choices().get(index));
        }
    }

    private List<int[]> sizes() {
        List<int[]> sizes = new ArrayList<>(List.of(SIZES));
        sizes.removeIf(s -> s[0] == defaults.width() && s[1] == defaults.height());
        sizes.add(0, new int[] {defaults.width(), defaults.height()});
        return sizes;
    }
}
