package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.LatentImage;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.text.Prompt;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.ScheduleSteps;

/**
 * One request from prompt to pictures: {@link Conditioner}, then for each batch {@link RunNoise}, the denoise loop over a
 * {@link GuidedDenoiser}, and picture by picture {@link LatentDecoder}.
 *
 * <p>An object serves one request on the calling thread. Latents are {@code [batch, channels, height, width]}.
 */
public final class TextToImage {
    private static final PromptOptions PROMPTS = PromptOptions.DEFAULT;

    private final ModelSession session;
    private final Model model;
    private final GenerationRequest request;
    private final PictureSink sink;
    private final BooleanSupplier cancelled;
    private final Consumer<GenerationEvent> listener;
    private final SamplerChoice choice;
    private final SamplingPlan plan;
    private final ProgressTracker progress;

    /**
     * @param request with its seed filled in
     */
    public TextToImage(
            ModelSession session, GenerationRequest request, PictureSink sink, BooleanSupplier cancelled, Consumer<GenerationEvent> listener) {
        this.session = session;
        this.request = request;
        this.sink = sink;
        this.cancelled = cancelled;
        this.listener = listener;
        model = session.model();
        choice = SamplerChoice.find(request.sampler(), request.schedule());
        plan = SamplingPlan.fromNoise(choice, request.steps(), SamplerOptions.DEFAULTS, model.sampling());
        progress = new ProgressTracker(request.steps(), request.pictureCount(), cancelled, listener);
    }

    public void run() {
        ScheduleSteps calls = ScheduleSteps.first(request.steps() * choice.sampler().callsPerStep());
        Prompt positive = Prompt.positive(request.prompt(), calls, PROMPTS);
        Prompt negative = Prompt.negative(request.negativePrompt(), calls, PROMPTS);
        positive.networks().forEach(network -> listener.accept(
                new GenerationEvent.Notice(network + " is left out: networks that are added to a model are not read yet")));
        int tokens = Conditioner.tokens(positive, PROMPTS);
        int negativeTokens = Conditioner.tokens(negative, PROMPTS);
        boolean plain = positive.parts().size() == 1 && positive.parts().get(0).weight() == 1;
        PictureNetworks networks = PictureNetworks.of(
                model, request, new PictureNetworks.Prompts(positive.parts().size(), plain, tokens, negativeTokens));
        session.announce(networks.all());
        prepare(networks.text(), "preparing the text encoder");
        Conditioner conditioner = new Conditioner(session, networks.text(), PROMPTS, progress);
        Conditioning cond = conditioner.encode(positive, tokens);
        Conditioning uncond = conditioner.encode(negative, negativeTokens);
        float[] furtherChannels = null;
        if (networks.encoder() != null) {
            prepare(List.of(networks.encoder()), "preparing the encoder");
            furtherChannels = InpaintingChannels.withoutPicture(session, networks.encoder(), progress);
        }
        prepare(networks.denoisers(), "preparing the denoiser");
        prepare(List.of(networks.decoder()), "preparing the decoder");
        float scale = (float) request.cfgScale() * choice.sampler().cfgScaleFactor();
        LatentDecoder decoder = new LatentDecoder(session, networks.decoder(), progress);
        double step = networks.denoisers().stream().mapToDouble(network -> session.network(network).flops()).sum();
        progress.plan(request.batchCount() * (plan.networkCalls() * step + request.batchSize() * decoder.flops()));
        for (int batch = 0; batch < request.batchCount(); batch++) {
            // Calls are counted from 0 in each batch.
            GuidedDenoiser denoiser = new GuidedDenoiser(
                    session, networks.denoisers(), progress, cond, uncond, furtherChannels, scale, request.batchSize());
            drawBatch(batch * request.batchSize(), networks.decoder(), denoiser, decoder);
        }
    }

    private void prepare(List<NetworkShape> networks, String what) {
        for (NetworkShape network : networks) {
            session.network(network).prepare(fraction -> {
                if (cancelled.getAsBoolean()) {
                    throw KilnException.cancelled();
                }
                listener.accept(new GenerationEvent.Loading(what, fraction));
            });
        }
    }

    /** @param latent height and width of the latents */
    private void drawBatch(int first, NetworkShape latent, GuidedDenoiser denoiser, LatentDecoder decoder) {
        LatentFormat format = model.latent().withPreview(session.defaults().preview());
        int size = format.channels() * latent.height() * latent.width();
        NoiseOptions options = NoiseOptions.of(request.noise());
        long[] seeds = options.seeds(request.seed(), first, request.batchSize());
        LatentShape shape = new LatentShape(format.channels(), latent.height(), latent.width());
        RunNoise noise = new RunNoise(options, seeds, options.variationSeeds(first, seeds.length), shape, plan);
        ModelDenoiser guided = new ModelDenoiser(denoiser, model.sampling(), model.prediction());
        progress.phase(Phase.DENOISING, first);
        float[] latents = plan.run(plan.start(noise.first()), guided, noise, (step, steps, sigma, denoised) -> {
            progress.stepDone(step, steps);
            float[] values = Arrays.copyOf(denoised, size);
            listener.accept(new GenerationEvent.Preview(
                    step, steps, first, new LatentImage(values, latent.height(), latent.width(), format.preview())));
        });
        for (int i = 0; i < request.batchSize(); i++) {
            float[] finished = Arrays.copyOfRange(latents, i * size, (i + 1) * size);
            long seed = seeds[i];
            sink.latent(first + i, seed, finished, latent.height(), latent.width());
            progress.phase(Phase.DECODING, first + i);
            Picture image = decoder.decode(finished);
            listener.accept(new GenerationEvent.PictureDone(sink.picture(first + i, seed, image)));
        }
    }
}
