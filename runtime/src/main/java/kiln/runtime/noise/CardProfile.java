package kiln.runtime.noise;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;

/**
 * What of a card torch's random numbers depend on: how many threads it starts at most. A latent with more numbers than that gets
 * different ones from card to card.
 *
 * @param name as NVIDIA writes it, without "NVIDIA GeForce"
 * @param multiprocessors of the whole card
 * @param threads that a multiprocessor holds at once: 2048, 1536 or 1024 by its generation
 */
public record CardProfile(String name, int multiprocessors, int threads) {
    private static final int MOST_MULTIPROCESSORS = 10_000;
    private static final int MOST_THREADS = 65_536;
    private static final Pattern BY_NUMBERS = Pattern.compile("\\s*(\\d{1,5})\\s*[x×*]\\s*(\\d{1,5})\\s*");

    /** What runs most often; it differs from other cards of its size for large pictures only. */
    public static final CardProfile USUAL = new CardProfile("RTX 4090", 128, 1536);

    /** Counts from NVIDIA's data sheets; the threads from the CUDA programming guide's table of compute capabilities. */
    private static final String[] KNOWN = {
        "GTX 970 13 2048", "GTX 980 16 2048", "GTX 980 Ti 22 2048", "GTX TITAN X 24 2048", "Tesla M40 24 2048",
        "GTX 1050 5 2048", "GTX 1050 Ti 6 2048", "GTX 1060 3GB 9 2048", "GTX 1060 6GB 10 2048", "GTX 1070 15 2048",
        "GTX 1070 Ti 19 2048", "GTX 1080 20 2048", "GTX 1080 Ti 28 2048", "TITAN X (Pascal) 28 2048", "TITAN Xp 30 2048",
        "Tesla P4 20 2048", "Tesla P40 30 2048", "Tesla P100 56 2048",
        "TITAN V 80 2048", "Tesla V100 80 2048",
        "GTX 1650 14 1024", "GTX 1650 SUPER 20 1024", "GTX 1660 22 1024", "GTX 1660 SUPER 22 1024", "GTX 1660 Ti 24 1024",
        "RTX 2060 30 1024", "RTX 2060 SUPER 34 1024", "RTX 2070 36 1024", "RTX 2070 SUPER 40 1024", "RTX 2080 46 1024",
        "RTX 2080 SUPER 48 1024", "RTX 2080 Ti 68 1024", "TITAN RTX 72 1024", "Tesla T4 40 1024", "Quadro RTX 4000 36 1024",
        "Quadro RTX 5000 48 1024", "Quadro RTX 6000 72 1024", "Quadro RTX 8000 72 1024",
        "A30 56 2048", "A100 108 2048",
        "RTX 3050 20 1536", "RTX 3060 28 1536", "RTX 3060 Ti 38 1536", "RTX 3070 46 1536", "RTX 3070 Ti 48 1536",
        "RTX 3080 68 1536", "RTX 3080 12GB 70 1536", "RTX 3080 Ti 80 1536", "RTX 3090 82 1536", "RTX 3090 Ti 84 1536",
        "RTX A2000 26 1536", "RTX A4000 48 1536", "RTX A5000 64 1536", "RTX A6000 84 1536", "A10 72 1536", "A10G 80 1536",
        "A40 84 1536",
        "RTX 4060 24 1536", "RTX 4060 Ti 34 1536", "RTX 4070 46 1536", "RTX 4070 SUPER 56 1536", "RTX 4070 Ti 60 1536",
        "RTX 4070 Ti SUPER 66 1536", "RTX 4080 76 1536", "RTX 4080 SUPER 80 1536", "RTX 4090 128 1536", "L4 58 1536", "L40 142 1536",
        "L40S 142 1536", "RTX 6000 Ada 142 1536",
        "H100 PCIe 114 2048", "H100 132 2048", "H200 132 2048",
        "RTX 5060 30 1536", "RTX 5060 Ti 36 1536", "RTX 5070 48 1536", "RTX 5070 Ti 70 1536", "RTX 5080 84 1536", "RTX 5090 170 1536",
    };

    public CardProfile {
        if (name.isBlank() || multiprocessors < 1 || multiprocessors > MOST_MULTIPROCESSORS || threads < 1 || threads > MOST_THREADS) {
            throw KilnException.badRequest("a card of " + multiprocessors + " multiprocessors with " + threads + " threads is no card");
        }
    }

    /** All cards known by name. */
    public static List<CardProfile> known() {
        List<CardProfile> profiles = new ArrayList<>();
        for (String line : KNOWN) {
            int threads = line.lastIndexOf(' ');
            int multiprocessors = line.lastIndexOf(' ', threads - 1);
            profiles.add(new CardProfile(
                    line.substring(0, multiprocessors),
                    Integer.parseInt(line.substring(multiprocessors + 1, threads)),
                    Integer.parseInt(line.substring(threads + 1))));
        }
        return profiles;
    }

    /**
     * The card of that name, case, blanks and the maker's words apart ("NVIDIA GeForce RTX 3060", "rtx3060"), or one given by its
     * numbers, "28x1536".
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none
     */
    public static CardProfile find(String name) {
        Matcher numbers = BY_NUMBERS.matcher(name);
        if (numbers.matches()) {
            return new CardProfile(name.strip(), Integer.parseInt(numbers.group(1)), Integer.parseInt(numbers.group(2)));
        }
        String folded = fold(name);
        for (CardProfile profile : known()) {
            if (fold(profile.name).equals(folded)) {
                return profile;
            }
        }
        String shown = name.length() > 40 ? name.substring(0, 40) + "…" : name;
        throw KilnException.badRequest("no card is known as \"" + shown.replaceAll("\\p{Cntrl}", "?")
                + "\": give its multiprocessors and the threads of each, as 28x1536 for an RTX 3060");
    }

    private static String fold(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("nvidia|geforce|[^a-z0-9]", "");
    }

    /** How many numbers of one draw get a thread of their own. */
    int capacity() {
        return multiprocessors * (threads / CudaNoise.BLOCK) * CudaNoise.BLOCK;
    }
}
