package kiln.runtime.merge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;

/**
 * A multiplier of its own for each block of a denoiser, in the order of the merge-block-weighted extension: IN00…IN11, M00, OUT00…OUT11. The
 * time embedding counts as IN00 and the last convolution as OUT11; whatever is no block (text encoder, autoencoder) has the base multiplier.
 */
public record BlockMultipliers(List<Double> values) {
    /** How many there are. */
    public static final int COUNT = 25;

    private static final int MIDDLE = 12;
    private static final String UNET = "model.diffusion_model.";
    private static final Pattern BLOCK = Pattern.compile("\\.(input_blocks|middle_block|output_blocks)\\.(\\d{1,4})\\.");
    private static final Map<String, BlockMultipliers> PRESETS = presets();

    public BlockMultipliers {
        values = List.copyOf(values);
        if (values.size() != COUNT) {
            throw KilnException.badRequest(
                    values.size() + " block weights: " + COUNT + " are needed, for IN00 to IN11, M00 and OUT00 to OUT11");
        }
        for (double value : values) {
            if (!Double.isFinite(value)) {
                throw KilnException.badRequest("block weight " + value + " is no number that can be multiplied by");
            }
        }
    }

    /**
     * Numbers with commas between, or the name of a preset.
     *
     * @throws KilnException BAD_REQUEST for anything else
     */
    public static BlockMultipliers parse(String text) {
        if (text.indexOf(',') < 0) {
            BlockMultipliers preset = PRESETS.get(text.strip().toUpperCase(Locale.ROOT));
            if (preset == null) {
                throw KilnException.badRequest("no block weights are called \"" + text + "\"" + NearestName.hint(text, PRESETS.keySet())
                        + " (" + String.join(", ", PRESETS.keySet()) + ", or " + COUNT + " numbers)");
            }
            return preset;
        }
        List<Double> values = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            try {
                values.add(Double.valueOf(part.strip()));
            } catch (NumberFormatException e) {
                throw KilnException.badRequest("block weight \"" + part.strip() + "\" is no number");
            }
        }
        return new BlockMultipliers(values);
    }

    /** The names that {@link #parse} knows: the extension's presets. */
    public static List<String> presetNames() {
        return List.copyOf(PRESETS.keySet());
    }

    /** The multiplier of a tensor. */
    double of(String tensor, double base) {
        int unet = tensor.indexOf(UNET);
        if (unet < 0) {
            return base;
        }
        if (tensor.contains("time_embed")) {
            return values.get(0);
        }
        if (tensor.contains(".out.")) {
            return values.get(COUNT - 1);
        }
        Matcher block = BLOCK.matcher(tensor);
        if (!block.find()) {
            return base;
        }
        int number = Integer.parseInt(block.group(2));
        return switch (block.group(1)) {
            case "middle_block" -> values.get(MIDDLE);
            case "input_blocks" -> number < MIDDLE ? values.get(number) : base;
            default -> number < COUNT - MIDDLE - 1 ? values.get(MIDDLE + 1 + number) : base;
        };
    }

    private static Map<String, BlockMultipliers> presets() {
        Map<String, BlockMultipliers> presets = new LinkedHashMap<>();
        presets.put("GRAD_V", of(place -> Math.abs(place - MIDDLE) / (double) MIDDLE));
        presets.put("GRAD_A", of(place -> 1 - Math.abs(place - MIDDLE) / (double) MIDDLE));
        presets.put("FLAT_25", of(place -> 0.25));
        presets.put("FLAT_75", of(place -> 0.75));
        for (int ends : new int[] {4, 6, 7, 8}) {
            presets.put(String.format(Locale.ROOT, "WRAP%02d", 2 * ends), of(place -> place < ends || place >= COUNT - ends ? 1 : 0));
        }
        presets.put("MID12_50", of(place -> place >= 5 && place < 19 ? 0.5 : 0));
        presets.put("OUT07", of(place -> place >= 18 ? 1 : 0));
        presets.put("OUT12", of(place -> place > MIDDLE ? 1 : 0));
        presets.put("OUT12_5", of(place -> place > MIDDLE ? 1 : place == MIDDLE ? 0.5 : 0));
        presets.put("RING08_SOFT", of(place -> ring(place, 6, 8) ? 1 : ring(place, 5, 9) ? 0.5 : 0));
        presets.put("RING08_5", of(place -> ring(place, 6, 9) ? 1 : 0));
        presets.put("RING10_5", of(place -> ring(place, 5, 9) ? 1 : 0));
        presets.put("RING10_3", of(place -> ring(place, 6, 10) ? 1 : 0));
        presets.put("NORMAL-SIGMOID", of(place -> smoothStep(place / (COUNT - 1.0))));
        presets.put("REVERSE-SIGMOID", of(place -> 1 - smoothStep(place / (COUNT - 1.0))));
        return Collections.unmodifiableMap(presets);
    }

    private static BlockMultipliers of(IntToDoubleFunction value) {
        List<Double> values = new ArrayList<>();
        for (int place = 0; place < COUNT; place++) {
            values.add(value.applyAsDouble(place));
        }
        return new BlockMultipliers(values);
    }

    /** Whether a place, or the one opposite of it, lies in a range. */
    private static boolean ring(int place, int first, int last) {
        int mirrored = Math.min(place, COUNT - 1 - place);
        return mirrored >= first && mirrored <= last;
    }

    private static double smoothStep(double x) {
        return x * x * (3 - 2 * x);
    }
}
