package kiln.runtime.addon;

import java.util.List;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.text.ExtraNetwork;

/**
 * What a prompt's {@code <lora:name:text encoder's:denoiser's:ranks>} asks for.
 *
 * @param name a file's name, its alias or the beginning of its hash
 * @param textEncoder how much of it is added to text encoders
 * @param denoiser and to the denoiser
 * @param ranks how many of its ranks are used, the first ones; {@code Integer.MAX_VALUE} for all
 * @param blocks factors of {@code lbw=}; {@link BlockWeights#ALL} where nothing is said
 */
public record LoraUse(String name, double textEncoder, double denoiser, int ranks, BlockWeights blocks) {
    private static final int DENOISER_ITEM = 2;
    private static final int RANKS_ITEM = 3;

    public LoraUse {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(blocks, "blocks");
    }

    /** Whether a tag means such a file: {@code lyco} is an older word for it. */
    public static boolean isMeantBy(ExtraNetwork network) {
        return network.name().equals("lora") || network.name().equals("lyco");
    }

    /** @throws KilnException BAD_REQUEST when a number is none */
    public static LoraUse of(ExtraNetwork network) {
        List<String> items = network.positional();
        String name = items.isEmpty() ? "" : items.get(0).strip();
        String textEncoder = network.named().getOrDefault("te", items.size() > 1 ? items.get(1) : "1");
        String denoiser = network.named().getOrDefault("unet", items.size() > DENOISER_ITEM ? items.get(DENOISER_ITEM) : textEncoder);
        String ranks = network.named().getOrDefault("dyn", items.size() > RANKS_ITEM ? items.get(RANKS_ITEM) : "");
        String blocks = network.named().get("lbw");
        return new LoraUse(
                name,
                number(network, textEncoder),
                number(network, denoiser),
                ranks.isBlank() ? Integer.MAX_VALUE : (int) Math.max(0, number(network, ranks)),
                blocks == null ? BlockWeights.ALL : BlockWeights.parse(network.toString(), blocks));
    }

    private static double number(ExtraNetwork network, String text) {
        try {
            double number = Double.parseDouble(text.strip());
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw KilnException.badRequest(network + ": \"" + text + "\" is no number; needed is <lora:name:0.8> or <lora:name:0.8:1>");
    }
}
