package kiln.runtime.sampling;

import java.util.Map;
import java.util.Objects;
import kiln.runtime.base.Bounds;
import kiln.runtime.base.KilnException;

/**
 * The numbers that change how a sampler walks, with A1111's defaults.
 *
 * @param etaAncestral how much of a step's noise is fresh, for all samplers but DDIM's kin; 1 is all of it, 0 none
 * @param etaDdim the same for DDIM and DDIM CFG++
 * @param sgmNoiseMultiplier starts from noise of variance {@code 1 + sigma²} in place of {@code sigma²}
 */
public record SamplerOptions(
        double etaAncestral, double etaDdim, Churn churn, LevelOptions levels, UniPcOptions uniPc, boolean sgmNoiseMultiplier) {
    public static final SamplerOptions DEFAULTS =
            new SamplerOptions(1, 0, Churn.NONE, LevelOptions.DEFAULTS, UniPcOptions.DEFAULTS, false);

    private static final double MOST_ETA = 100;

    public SamplerOptions {
        Bounds.check("eta_ancestral", etaAncestral, 0, MOST_ETA);
        Bounds.check("eta_ddim", etaDdim, 0, MOST_ETA);
        Objects.requireNonNull(churn, "churn");
        Objects.requireNonNull(levels, "levels");
        Objects.requireNonNull(uniPc, "uniPc");
    }

    /** The eta of that sampler. */
    double eta(Sampler sampler) {
        return sampler.usesTimesteps() ? etaDdim : etaAncestral;
    }

    /** The same with a request's own eta, which counts for whatever sampler it has. */
    public SamplerOptions withEta(double eta) {
        return new SamplerOptions(eta, eta, churn, levels, uniPc, sgmNoiseMultiplier);
    }

    /**
     * The options that A1111's settings stand for, by their names in its {@code config.json} ({@code eta_ancestral}, {@code s_churn},
     * {@code uni_pc_order}…). Settings that belong elsewhere are passed over, missing ones keep their defaults.
     *
     * @param settings numbers, booleans and strings
     * @throws KilnException {@code BAD_REQUEST} for a value that does not fit its name
     */
    public static SamplerOptions of(Map<String, ?> settings) {
        Settings read = new Settings(settings);
        LevelOptions levels = new LevelOptions(
                read.number("sigma_min", 0),
                read.number("sigma_max", 0),
                read.number("rho", 0),
                read.number("beta_dist_alpha", LevelOptions.DEFAULTS.betaAlpha()),
                read.number("beta_dist_beta", LevelOptions.DEFAULTS.betaBeta()),
                read.flag("always_discard_next_to_last_sigma", false),
                read.flag("use_old_karras_scheduler_sigmas", false),
                read.flag("enable_quantization", false));
        UniPcOptions uniPc = new UniPcOptions(
                UniPcOptions.read("uni_pc_variant", read.text("uni_pc_variant", "bh1"), UniPcOptions.Variant.class),
                UniPcOptions.read("uni_pc_skip_type", read.text("uni_pc_skip_type", "time_uniform"), UniPcOptions.SkipType.class),
                (int) read.number("uni_pc_order", UniPcOptions.DEFAULTS.order()),
                read.flag("uni_pc_lower_order_final", true));
        return new SamplerOptions(
                read.number("eta_ancestral", 1),
                read.number("eta_ddim", 0),
                new Churn(read.number("s_churn", 0), read.number("s_tmin", 0), read.number("s_tmax", 0), read.number("s_noise", 1)),
                levels,
                uniPc,
                read.flag("sgm_noise_multiplier", false));
    }

    private record Settings(Map<String, ?> values) {
        double number(String name, double usual) {
            Object value = values.get(name);
            if (value == null) {
                return usual;
            }
            if (value instanceof Number number) {
                return number.doubleValue();
            }
            throw misfit(name, value, "a number");
        }

        boolean flag(String name, boolean usual) {
            Object value = values.get(name);
            if (value == null) {
                return usual;
            }
            if (value instanceof Boolean flag) {
                return flag;
            }
            throw misfit(name, value, "true or false");
        }

        String text(String name, String usual) {
            Object value = values.get(name);
            if (value == null) {
                return usual;
            }
            if (value instanceof String text) {
                return text;
            }
            throw misfit(name, value, "a name");
        }

        private static KilnException misfit(String name, Object value, String needed) {
            return KilnException.badRequest("setting " + name + " is " + Names.quoted(value.toString()) + "; needed is " + needed);
        }
    }
}
