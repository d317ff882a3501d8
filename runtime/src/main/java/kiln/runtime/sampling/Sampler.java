package kiln.runtime.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import kiln.runtime.base.KilnException;

/** The samplers, by A1111's labels and aliases, in the order A1111 lists them. */
public enum Sampler {
    DPMPP_2M("DPM++ 2M", Schedule.KARRAS, Set.of(), MultistepSamplers::dpmpp2m, "k_dpmpp_2m"),
    DPMPP_SDE(
            "DPM++ SDE", Schedule.KARRAS, Set.of(Trait.SECOND_ORDER, Trait.BROWNIAN_NOISE), SdeSamplers::dpmppSde, "k_dpmpp_sde"),
    DPMPP_2M_SDE(
            "DPM++ 2M SDE", Schedule.EXPONENTIAL, Set.of(Trait.BROWNIAN_NOISE), SdeSamplers::dpmpp2mSdeMidpoint, "k_dpmpp_2m_sde"),
    DPMPP_2M_SDE_HEUN(
            "DPM++ 2M SDE Heun",
            Schedule.EXPONENTIAL,
            Set.of(Trait.BROWNIAN_NOISE),
            SdeSamplers::dpmpp2mSdeHeun,
            "k_dpmpp_2m_sde_heun"),
    DPMPP_2S_A(
            "DPM++ 2S a",
            Schedule.KARRAS,
            Set.of(Trait.ETA_NOISE, Trait.SECOND_ORDER),
            SecondOrderSamplers::dpmpp2sAncestral,
            "k_dpmpp_2s_a",
            "k_dpmpp_2s_ancestral"),
    DPMPP_3M_SDE(
            "DPM++ 3M SDE",
            Schedule.EXPONENTIAL,
            Set.of(Trait.DISCARDS_PENULTIMATE, Trait.BROWNIAN_NOISE),
            SdeSamplers::dpmpp3mSde,
            "k_dpmpp_3m_sde"),
    EULER_A("Euler a", Schedule.UNIFORM, Set.of(Trait.ETA_NOISE), EulerSamplers::eulerAncestral, "k_euler_a", "k_euler_ancestral"),
    EULER("Euler", Schedule.UNIFORM, Set.of(), EulerSamplers::euler, "k_euler"),
    LMS("LMS", Schedule.UNIFORM, Set.of(), MultistepSamplers::lms, "k_lms"),
    HEUN("Heun", Schedule.UNIFORM, Set.of(Trait.SECOND_ORDER), EulerSamplers::heun, "k_heun"),
    DPM2("DPM2", Schedule.KARRAS, Set.of(Trait.DISCARDS_PENULTIMATE, Trait.SECOND_ORDER), SecondOrderSamplers::dpm2, "k_dpm_2"),
    DPM2_A(
            "DPM2 a",
            Schedule.KARRAS,
            Set.of(Trait.DISCARDS_PENULTIMATE, Trait.ETA_NOISE, Trait.SECOND_ORDER),
            SecondOrderSamplers::dpm2Ancestral,
            "k_dpm_2_a",
            "k_dpm_2_ancestral"),
    DPM_FAST("DPM fast", Schedule.UNIFORM, Set.of(Trait.ETA_NOISE, Trait.RANGE_ONLY), DpmSolver::fast, "k_dpm_fast"),
    DPM_ADAPTIVE(
            "DPM adaptive",
            Schedule.UNIFORM,
            Set.of(Trait.ETA_NOISE, Trait.RANGE_ONLY),
            DpmSolver::adaptive,
            "k_dpm_ad",
            "k_dpm_adaptive"),
    RESTART("Restart", Schedule.KARRAS, Set.of(Trait.SECOND_ORDER), RestartSampler::sample, "restart"),
    DDIM("DDIM", Schedule.UNIFORM, Set.of(Trait.TIMESTEPS), TimestepSamplers::ddim, "ddim", "ddim_v3"),
    DDIM_CFGPP("DDIM CFG++", Schedule.UNIFORM, Set.of(Trait.TIMESTEPS), TimestepSamplers::ddimCfgpp, "ddim_cfgpp"),
    PLMS("PLMS", Schedule.UNIFORM, Set.of(Trait.TIMESTEPS), TimestepSamplers::plms, "plms"),
    UNIPC("UniPC", Schedule.UNIFORM, Set.of(Trait.TIMESTEPS), UniPc::sample, "unipc"),
    LCM("LCM", Schedule.UNIFORM, Set.of(Trait.LCM_TABLE), EulerSamplers::lcm, "k_lcm");

    /** DDIM CFG++ maps the scales 0 to 12.5 that people are used to onto its own 0 to 1. */
    private static final float CFGPP_SCALE = 1 / 12.5f;

    /** What sets a sampler apart from Euler's way of being called. */
    enum Trait {
        /** A1111 plans twice as many calls as steps. */
        SECOND_ORDER,
        /** The level before the last is left out of a schedule one step longer, which these samplers need for clean pictures. */
        DISCARDS_PENULTIMATE,
        /** Its fresh noise depends on the eta noise seed delta. */
        ETA_NOISE,
        /** Its fresh noise comes from a Brownian tree. */
        BROWNIAN_NOISE,
        /** Walks whole timesteps and takes no schedule. */
        TIMESTEPS,
        /** Finds levels of its own between the ends. */
        RANGE_ONLY,
        /** Sees the model as LCM was distilled. */
        LCM_TABLE
    }

    /** One run over levels or timesteps, changing {@code x} from the first to the finished latent. */
    @FunctionalInterface
    interface Walk {
        void walk(SamplerRun run, float[] x);
    }

    private final String label;
    private final Schedule defaultSchedule;
    private final Set<Trait> traits;
    private final Walk walk;
    private final List<String> aliases;

    Sampler(String label, Schedule defaultSchedule, Set<Trait> traits, Walk walk, String... aliases) {
        this.label = label;
        this.defaultSchedule = defaultSchedule;
        this.traits = traits;
        this.walk = walk;
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

    /** Whether A1111 names a default for it, so that the name of that schedule says no more than "Automatic". */
    boolean namesDefaultSchedule() {
        return defaultSchedule != Schedule.UNIFORM;
    }

    /** Calls for each step as A1111 plans them, for prompts that change during a run: 2 with samplers of second order. */
    public int callsPerStep() {
        return traits.contains(Trait.SECOND_ORDER) ? 2 : 1;
    }

    /** Whether the eta noise seed delta changes its pictures (with an eta that is not 0), and is written into them. */
    public boolean usesEtaNoiseSeedDelta() {
        return traits.contains(Trait.ETA_NOISE);
    }

    /** Whether its fresh noise comes from a Brownian tree. */
    public boolean usesBrownianNoise() {
        return traits.contains(Trait.BROWNIAN_NOISE);
    }

    /** Whether it walks whole timesteps and takes no schedule. */
    public boolean usesTimesteps() {
        return traits.contains(Trait.TIMESTEPS);
    }

    /** What a request's CFG scale is multiplied by before it guides. */
    public float cfgScaleFactor() {
        return this == DDIM_CFGPP ? CFGPP_SCALE : 1;
    }

    boolean has(Trait trait) {
        return traits.contains(trait);
    }

    Walk walk() {
        return walk;
    }

    /**
     * The sampler of that label or alias, however it is spelt: case, blanks and marks do not count. A schedule at the name's end is
     * passed over ({@link SamplerChoice#find} keeps it).
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none; the message names the nearest
     */
    public static Sampler find(String name) {
        return SamplerChoice.find(name, Schedule.AUTOMATIC.label()).sampler();
    }

    /** By a {@linkplain Names#fold folded} name, with or without the "k" that k-diffusion's names begin with. */
    static Sampler lookUp(String folded) {
        for (Sampler sampler : values()) {
            if (Names.fold(sampler.label).equals(folded)
                    || sampler.aliases.stream().map(Names::fold).anyMatch(alias -> alias.equals(folded) || alias.equals("k" + folded))) {
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
