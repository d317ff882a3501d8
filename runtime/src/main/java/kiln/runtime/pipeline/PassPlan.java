package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.Setting;
import kiln.runtime.job.Settings;
import kiln.runtime.model.Model;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.sampling.ImageStart;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.text.Prompt;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.ScheduleSteps;

/**
 * One pass of a request's sampler before it happens: what is drawn, in which size, by which steps. Most requests have one, those with a hires
 * fix two.
 *
 * @param levels that the sampler walks by
 * @param cfgScale what guidance multiplies by
 */
record PassPlan(Prompt positive, Prompt negative, SamplingPlan sampling, ModelSampling levels, float cfgScale, LatentShape latent) {
    PassPlan {
        Objects.requireNonNull(positive, "positive");
        Objects.requireNonNull(negative, "negative");
        Objects.requireNonNull(sampling, "sampling");
        Objects.requireNonNull(latent, "latent");
    }

    /** All passes of a request, in order. */
    static List<PassPlan> of(GenerationRequest request, Model model, PromptOptions options) {
        Settings settings = request.settings();
        boolean old = settings.flag(Setting.OLD_SCHEDULING);
        ModelSampling levels = levels(model, settings);
        SamplerOptions samplerOptions = settings.samplerOptions();
        SamplerChoice choice = SamplerChoice.find(request.sampler(), request.schedule());
        int firstCalls = request.steps() * choice.sampler().callsPerStep();
        ScheduleSteps calls = old ? ScheduleSteps.before16(firstCalls) : ScheduleSteps.first(firstCalls);
        List<PassPlan> passes = new ArrayList<>();
        passes.add(new PassPlan(
                Prompt.positive(request.prompt(), calls, options),
                Prompt.negative(request.negativePrompt(), calls, options),
                request.init() == null
                        ? SamplingPlan.fromNoise(choice, request.steps(), samplerOptions, levels)
                        : SamplingPlan.fromLatent(choice, request.steps(), samplerOptions, levels, imageStart(request)),
                levels,
                (float) request.cfgScale() * choice.sampler().cfgScaleFactor(),
                latent(model, request.width(), request.height())));
        HiresPass hires = request.hires();
        if (hires != null) {
            passes.add(second(request, model, options, levels, firstCalls));
        }
        return passes;
    }

    private static PassPlan second(
            GenerationRequest request, Model model, PromptOptions options, ModelSampling levels, int firstCalls) {
        Settings settings = request.settings();
        HiresPass hires = request.hires();
        SamplerChoice choice = hires.choice(request);
        int steps = hires.stepsAfter(request);
        ScheduleSteps calls = settings.flag(Setting.OLD_SCHEDULING)
                ? ScheduleSteps.before16(firstCalls)
                : ScheduleSteps.second(firstCalls, steps * choice.sampler().callsPerStep());
        ImageStart start = new ImageStart(hires.denoisingStrength(), steps, 1, settings.number(Setting.EXTRA_NOISE));
        return new PassPlan(
                Prompt.positive(hires.prompt().isEmpty() ? request.prompt() : hires.prompt(), calls, options),
                Prompt.negative(hires.negativePrompt().isEmpty() ? request.negativePrompt() : hires.negativePrompt(), calls, options),
                SamplingPlan.fromLatent(choice, request.steps(), settings.samplerOptions(), levels, start),
                levels,
                (float) (hires.cfgScale() == 0 ? request.cfgScale() : hires.cfgScale()) * choice.sampler().cfgScaleFactor(),
                HiresSize.of(request, model.latent().pixels()).latent(model.latent().channels()));
    }

    private static ImageStart imageStart(GenerationRequest request) {
        Settings settings = request.settings();
        return new ImageStart(
                request.init().denoisingStrength(),
                settings.flag(Setting.FIXED_STEPS) ? request.steps() : 0,
                settings.number(Setting.NOISE_MULTIPLIER),
                settings.number(Setting.EXTRA_NOISE));
    }

    private static ModelSampling levels(Model model, Settings settings) {
        ModelSampling levels = model.sampling();
        if (settings.flag(Setting.DOWNCAST_ALPHAS)) {
            levels = levels.downcast();
        }
        return settings.text(Setting.NOISE_SCHEDULE).equals("Default") ? levels : levels.zeroTerminal();
    }

    /** @throws KilnException BAD_REQUEST when the model cannot draw this size */
    private static LatentShape latent(Model model, int width, int height) {
        int pixels = model.latent().pixels();
        if (width % pixels != 0 || height % pixels != 0) {
            throw KilnException.badRequest("size " + width + "x" + height + ": this model needs multiples of " + pixels);
        }
        return new LatentShape(model.latent().channels(), height / pixels, width / pixels);
    }

    /** Whether there is an unconditional half: not with a single part at a scale of 1, unless the sampler looks at that half itself. */
    boolean isGuided() {
        boolean plain = positive.parts().size() == 1 && positive.parts().get(0).weight() == 1;
        return cfgScale != 1 || !plain || sampling.sampler().cfgScaleFactor() != 1;
    }
}
