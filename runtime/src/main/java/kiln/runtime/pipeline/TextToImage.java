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
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Sampling;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.TokenChunk;

/**
 * One request from prompt to pictures: {@link Conditioner}, then for each batch {@link FirstLatents}, the denoise loop over a
 * {@link GuidedDenoiser}, and picture by picture {@link LatentDecoder}.
 *
 * <p>An object serves one request on the calling thread. Latents are {@code [batch, channels, height, width]}.
 */
public final class TextToImage {
    private final ModelSession session;
    private final Model model;
    private final GenerationRequest request;
    private final PictureSink sink;
    private final BooleanSupplier cancelled;
    private final Consumer<GenerationEvent> listener;
    private final SamplerChoice choice;
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
        progress = new ProgressTracker(request.steps(), request.pictureCount(), cancelled, listener);
    }

    public void run() {
        ClipTokenizer tokenizer = ClipTokenizer.load();
        List<TokenChunk> positive = PromptChunks.of(tokenizer, request.prompt());
        List<TokenChunk> negative = PromptChunks.of(tokenizer, request.negativePrompt());
        PictureNetworks networks = PictureNetworks.of(
                model, request, positive.size() * TokenChunk.LENGTH, negative.size() * TokenChunk.LENGTH);
        session.announce(networks.all());
        prepare(networks.text(), "preparing the text encoder");
        Conditioner conditioner = new Conditioner(session, networks.text(), progress);
        Conditioning cond = conditioner.encode(positive);
        Conditioning uncond = conditioner.encode(negative);
        float[] furtherChannels = null;
        if (networks.encoder() != null) {
            prepare(List.of(networks.encoder()), "preparing the encoder");
            furtherChannels = InpaintingChannels.withoutPicture(session, networks.encoder(), progress);
        }
        GuidedDenoiser denoiser = new GuidedDenoiser(
                session, networks.denoisers(), progress, cond, uncond, furtherChannels, (float) request.cfgScale(), request.batchSize());
        prepare(networks.denoisers(), "preparing the denoiser");
        prepare(List.of(networks.decoder()), "preparing the decoder");
        LatentDecoder decoder = new LatentDecoder(session, networks.decoder(), progress);
        double sampling = Sampling.networkCalls(choice, request.steps(), model.sampling()) * denoiser.flops();
        progress.plan(request.batchCount() * (sampling + request.batchSize() * decoder.flops()));
        for (int batch = 0; batch < request.batchCount(); batch++) {
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
        FirstLatents begin = FirstLatents.ofNoise(request, first, size);
        progress.phase(Phase.DENOISING, first);
        ModelDenoiser sampled = new ModelDenoiser(denoiser, model.sampling(), model.prediction());
        float[] latents = Sampling.run(
                choice, request.steps(), begin.noise(), sampled, begin.source()::next, (step, steps, sigma, denoised) -> {
                    progress.stepDone(step, steps);
                    float[] values = Arrays.copyOf(denoised, size);
                    listener.accept(new GenerationEvent.Preview(
                            step, steps, first, new LatentImage(values, latent.height(), latent.width(), format.preview())));
                });
        for (int i = 0; i < request.batchSize(); i++) {
            float[] finished = Arrays.copyOfRange(latents, i * size, (i + 1) * size);
            long seed = begin.seeds()[i];
            sink.latent(first + i, seed, finished, latent.height(), latent.width());
            progress.phase(Phase.DECODING, first + i);
            Picture image = decoder.decode(finished);
            listener.accept(new GenerationEvent.PictureDone(sink.picture(first + i, seed, image)));
        }
    }
}
