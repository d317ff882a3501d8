package kiln.runtime.addon;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;

/**
 * Factors of the denoiser's blocks, as the extension "LoRA Block Weight" takes them: {@code lbw=} and 17 or 26 numbers, or a preset's name. The
 * first number is for everything outside the blocks, the text encoders above all; 17 leave out the blocks without transformers.
 *
 * @param factors base, input blocks 0 to 11, the middle, output blocks 0 to 11
 */
public record BlockWeights(List<Double> factors) {
    private static final int INPUTS = 12;
    private static final int MIDDLE = 1 + INPUTS;
    private static final int COUNT = 2 * INPUTS + 2;
    /** Which of all factors the 17 are. */
    private static final int[] WITH_TRANSFORMERS = {0, 2, 3, 5, 6, 8, 9, 13, 17, 18, 19, 20, 21, 22, 23, 24, 25};

    /** Everything as it is. */
    public static final BlockWeights ALL = new BlockWeights(Collections.nCopies(COUNT, 1.0));

    private static final Map<String, String> PRESETS = Map.of(
            "NONE", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "ALL", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
            "INS", "1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0",
            "IND", "1,0,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0",
            "INALL", "1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0",
            "MIDD", "1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0",
            "OUTD", "1,0,0,0,0,0,0,0,1,1,1,1,0,0,0,0,0",
            "OUTS", "1,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1",
            "OUTALL", "1,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,1");

    private static final Pattern BLOCK = Pattern.compile(".*diffusion_model\\.(input_blocks|middle_block|output_blocks)\\.(\\d{1,4})\\..*");

    public BlockWeights {
        factors = List.copyOf(factors);
        if (factors.size() != COUNT) {
            throw new IllegalArgumentException(factors.size() + " factors");
        }
    }

    /**
     * @param tag it stands in, for the message
     * @throws KilnException BAD_REQUEST when it is neither a preset nor 17 or 26 numbers
     */
    static BlockWeights parse(String tag, String text) {
        String numbers = PRESETS.getOrDefault(text.strip().toUpperCase(Locale.ROOT), text);
        String[] parts = numbers.split(",", -1);
        if (parts.length != WITH_TRANSFORMERS.length && parts.length != COUNT) {
            throw KilnException.badRequest(tag + ": lbw= has " + parts.length + " items; needed are 17 or 26 numbers, or one of "
                    + String.join(", ", PRESETS.keySet().stream().sorted().toList()) + NearestName.hint(text, PRESETS.keySet()));
        }
        Double[] factors = new Double[COUNT];
        Arrays.fill(factors, 0.0);
        for (int i = 0; i < parts.length; i++) {
            try {
                factors[parts.length == COUNT ? i : WITH_TRANSFORMERS[i]] = Double.valueOf(parts[i].strip());
            } catch (NumberFormatException e) {
                throw KilnException.badRequest(tag + ": \"" + parts[i] + "\" in lbw= is no number");
            }
        }
        return new BlockWeights(Arrays.asList(factors));
    }

    /** Of a weight, by its name in the original code. */
    double factor(String tensor) {
        Matcher block = BLOCK.matcher(tensor);
        if (!block.matches()) {
            return factors.get(0);
        }
        int number = Integer.parseInt(block.group(2));
        int at = switch (block.group(1)) {
            case "input_blocks" -> 1 + number;
            case "output_blocks" -> MIDDLE + 1 + number;
            default -> MIDDLE;
        };
        return at < COUNT ? factors.get(at) : 1;
    }
}
