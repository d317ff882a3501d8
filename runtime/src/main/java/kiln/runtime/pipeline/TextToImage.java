package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.DecodedPictures;
import kiln.runtime.image.LatentPreview;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.model.Autoencoder;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.TokenChunk;

/**
 * One request from prompt to pictures: conditioning, then for each batch first noise, the denoise loop, and picture by picture the decoder.
 *
 * <p>An object serves one request on the calling thread. Latents are {@code [batch, channels, height, width]}.
 */
public final class TextToImage {
    private static final int CHANNELS = 4;

    private final LoadedModel model;
    private final GenerationRequest request;
    private final PictureSink sink;
    private final BooleanSupplier cancelled;
    private final Consumer<GenerationEvent> listener;
    private final ModelSampling noiseLevels = ModelSampling.sd1();
    private final SamplingPlan plan;
    private final int height;
    private final int width;

    /**
     * @param request with its seed filled in
     */
    public TextToImage(
            LoadedModel model, GenerationRequest request, PictureSink sink, BooleanSupplier cancelled, Consumer<GenerationEvent> listener) {
        this.model = model;
        this.request = request;
        this.sink = sink;
        this.cancelled = cancelled;
        this.listener = listener;
        SamplerChoice choice = SamplerChoice.find(request.sampler(), request.schedule());
        plan = SamplingPlan.fromNoise(choice, request.steps(), SamplerOptions.DEFAULTS, noiseLevels);
        int scale = model.sizes().vae().scale();
        if (request.width() % scale != 0 || request.height() % scale != 0) {
            throw KilnException.badRequest(
                    "size " + request.width() + "x" + request.height() + ": this model needs multiples of " + scale);
        }
        if (request.clipSkip() > model.sizes().text().layers()) {
            throw KilnException.badRequest(
                    "clip skip " + request.clipSkip() + ": this model's text encoder has " + model.sizes().text().layers() + " layers");
        }
        height = request.height() / scale;
        width = request.width() / scale;
    }

    public void run() {
        ProgressTracker progress = new ProgressTracker(request.steps(), request.pictureCount(), cancelled, listener);
        ClipTokenizer tokenizer = ClipTokenizer.load();
        List<TokenChunk> positive = PromptChunks.of(tokenizer, request.prompt());
        List<TokenChunk> negative = PromptChunks.of(tokenizer, request.negativePrompt());
        announce(positive.size() * TokenChunk.LENGTH, negative.size() * TokenChunk.LENGTH);
        prepareText();
        Conditioning cond = Conditioning.encode(model, positive, request.clipSkip(), progress);
        Conditioning uncond = Conditioning.encode(model, negative, request.clipSkip(), progress);
        float[] masked = model.sizes().unet().inChannels() > CHANNELS ? maskedPicture(progress) : null;
        GuidedUNet unet = new GuidedUNet(
                model, progress, cond, uncond, masked, (float) request.cfgScale(), request.batchSize(), height, width);
        unet.prepare(fraction -> loading("preparing the denoiser", fraction));
        LoadedModel.Network decoder = model.decoder(1, height, width);
        decoder.prepare(fraction -> loading("preparing the decoder", fraction));
        double sampling = plan.networkCalls() * unet.flops();
        progress.plan(request.batchCount() * (sampling + request.batchSize() * decoder.flops()));
        for (int batch = 0; batch < request.batchCount(); batch++) {
            drawBatch(batch * request.batchSize(), unet, decoder, progress);
        }
    }

    /** Makes all networks of the request known, so that a card's memory is shared out once for all of them. */
    private void announce(int positiveTokens, int negativeTokens) {
        model.textEncoder(1, TokenChunk.LENGTH, request.clipSkip());
        GuidedUNet.networks(model, positiveTokens, negativeTokens, (float) request.cfgScale(), request.batchSize(), height, width);
        model.decoder(1, height, width);
    }

    private void prepareText() {
        model.textEncoder(1, TokenChunk.LENGTH, request.clipSkip())
                .prepare(fraction -> loading("preparing the text encoder", fraction));
    }

    private void loading(String what, double fraction) {
        if (cancelled.getAsBoolean()) {
            throw KilnException.cancelled();
        }
        listener.accept(new GenerationEvent.Loading(what, fraction));
    }

    private void drawBatch(int first, GuidedUNet unet, LoadedModel.Network decoder, ProgressTracker progress) {
        int size = CHANNELS * height * width;
        NoiseOptions options = NoiseOptions.of(request.noise());
        long[] seeds = options.seeds(request.seed(), first, request.batchSize());
        LatentShape shape = new LatentShape(CHANNELS, height, width);
        RunNoise noise = new RunNoise(options, seeds, options.variationSeeds(first, seeds.length), shape, plan);
        ModelDenoiser denoiser = new ModelDenoiser(unet, noiseLevels, Prediction.EPS);
        LatentPreview preview = preview();
        progress.phase(Phase.DENOISING, first);
        float[] latents = plan.run(plan.start(noise.first()), denoiser, noise, (step, steps, sigma, denoised) -> {
            progress.stepDone(step, steps);
            listener.accept(new GenerationEvent.Preview(step, steps, first, () -> preview.render(denoised, 0, height, width)));
        });
        for (int i = 0; i < seeds.length; i++) {
            float[] latent = Arrays.copyOfRange(latents, i * size, (i + 1) * size);
            sink.latent(first + i, seeds[i], latent, height, width);
            progress.phase(Phase.DECODING, first + i);
            Picture image = decode(latent, decoder, progress);
            listener.accept(new GenerationEvent.PictureDone(sink.picture(first + i, seeds[i], image)));
        }
    }

    private LatentPreview preview() {
        float[][] map = model.defaults().preview();
        return map != null && map.length == CHANNELS + 1 ? new LatentPreview(map) : LatentPreview.sd1();
    }

    private Picture decode(float[] latent, LoadedModel.Network decoder, ProgressTracker progress) {
        float[] unscaled = Planes.interleaved(latent, CHANNELS, height * width, 1 / Autoencoder.LATENT_SCALE);
        float[] values = decoder.run(Map.of("latent", unscaled), progress).get("image");
        progress.networkDone(decoder.flops());
        for (float value : values) {
            if (Float.isNaN(value)) {
                throw new KilnException(
                        KilnException.Category.DEVICE,
                        "the decoder gave not-a-number: try --no-half-vae, or --no-half if the denoiser is at fault");
            }
        }
        return DecodedPictures.fromInterleaved(values, 0, request.height(), request.width());
    }

    /**
     * The five further channels of an inpainting network when there is no picture to paint in, as A1111 fills them: a mask of ones, and
     * the latent of a picture whose values are all 0.5.
     */
    private float[] maskedPicture(ProgressTracker progress) {
        float[] image = new float[request.width() * request.height() * 3];
        Arrays.fill(image, 0.5f);
        LoadedModel.Network encoder = model.encoder(1, request.height(), request.width());
        encoder.prepare(fraction -> loading("preparing the encoder", fraction));
        float[] moments = encoder.run(Map.of("image", image), progress).get("moments");
        int positions = height * width;
        float[] channels = new float[positions * (CHANNELS + 1)];
        for (int p = 0; p < positions; p++) {
            channels[p * (CHANNELS + 1)] = 1;
            for (int k = 0; k < CHANNELS; k++) {
                channels[p * (CHANNELS + 1) + 1 + k] = moments[p * 2 * CHANNELS + k] * Autoencoder.LATENT_SCALE;
            }
        }
        return channels;
    }
}
