package kiln.runtime.sampling;

import java.util.Arrays;
import java.util.List;
import kiln.runtime.base.KilnException;

/** The samplers, by A1111's labels and aliases, in the order A1111 lists them. */
public enum Sampler {
    DPMPP_2M("DPM++ 2M", Schedule.KARRAS, 1, false, "k_dpmpp_2m"),
    DPMPP_2S_A("DPM++ 2S a", Schedule.KARRAS, 2, true, "k_dpmpp_2s_a"),
    EULER_A("Euler a", Schedule.UNIFORM, 1, true, "k_euler_a", "k_euler_ancestral"),
    EULER("Euler", Schedule.UNIFORM, 1, false, "k_euler"),
    LMS("LMS", Schedule.UNIFORM, 1, false, "k_lms"),
    HEUN("Heun", Schedule.UNIFORM, 2, false, "k_heun"),
    DPM2("DPM2", Schedule.KARRAS, 2, false, "k_dpm_2"),
    DPM2_A("DPM2 a", Schedule.KARRAS, 2, true, "k_dpm_2_a"),
    DDIM("DDIM", Schedule.UNIFORM, 1, false, "ddim");

    private final String label;
    private final Schedule defaultSchedule;
    private final int order;
    private final boolean ancestral;
    private final List<String> aliases;

    Sampler(String label, Schedule defaultSchedule, int order, boolean ancestral, String... aliases) {
        this.label = label;
        this.defaultSchedule = defaultSchedule;
        this.order = order;
        this.ancestral = ancestral;
        this.aliases = List.of(aliases);
    }

    /** As people read it and as it is written into pictures. */
    public String label() {
        return label;
    }

    public List<String> aliases() {
        return aliases;
    }

    /** What {@link Schedule#AUTOMATIC} stands for; never that itself. */
    public Schedule defaultSchedule() {
        return defaultSchedule;
    }

    /** Network calls of a step that does not end at sigma 0. */
    public int order() {
        return order;
    }

    /** Whether fresh noise is added at each step, so that the picture never settles as steps grow. */
    public boolean isAncestral() {
        return ancestral;
    }

    /** Whether it walks whole timesteps and takes no schedule. */
    public boolean usesTimesteps() {
        return this == DDIM;
    }

    /** Whether the level before the last is left out of a schedule one step longer, which these samplers need for clean pictures. */
    boolean discardsPenultimateSigma() {
        return this == DPM2 || this == DPM2_A;
    }

    /**
     * The sampler of that label or alias, in any case; a schedule at the name's end is passed over ({@link SamplerChoice#find} keeps it).
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none; the message names the nearest
     */
    public static Sampler find(String name) {
        return SamplerChoice.find(name, Schedule.AUTOMATIC.label()).sampler();
    }

    static Sampler lookUp(String name) {
        String folded = Names.fold(name);
        for (Sampler sampler : values()) {
            if (Names.fold(sampler.label).equals(folded) || sampler.aliases.contains(folded)) {
                return sampler;
            }
        }
        return null;
    }

    static KilnException unknown(String name) {
        List<String> labels = Arrays.stream(values()).map(Sampler::label).toList();
        return KilnException.badRequest("no sampler is called " + Names.quoted(name) + ": try " + Names.nearest(name, labels));
    }
}
