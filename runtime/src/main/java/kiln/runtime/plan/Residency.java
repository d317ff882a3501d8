package kiln.runtime.plan;

import java.util.Optional;
import kiln.runtime.base.MemoryMode;

/** How long weights stay on the device, from most memory to least. The words are those of A1111's flags. */
public enum Residency {
    /** All networks' weights from load to unload. */
    RESIDENT("resident"),
    /** The weights of the network that runs. */
    TAKING_TURNS("medvram"),
    /** As {@link #TAKING_TURNS}, and the denoiser's weights come in part anew at every step. */
    STREAMED("lowvram");

    private final String word;

    Residency(String word) {
        this.word = word;
    }

    /** The highest residency that a mode allows. */
    public static Residency highest(MemoryMode mode) {
        return switch (mode) {
            case AUTO -> RESIDENT;
            case MEDVRAM -> TAKING_TURNS;
            case LOWVRAM -> STREAMED;
        };
    }

    /** "resident", "medvram" or "lowvram". */
    public String word() {
        return word;
    }

    /** What needs less; nothing needs less than {@link #STREAMED}. */
    public Optional<Residency> lower() {
        return this == STREAMED ? Optional.empty() : Optional.of(values()[ordinal() + 1]);
    }
}
