package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.LatentImage;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.job.Setting;
import kiln.runtime.job.Settings;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.model.TextEncoder;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.pipeline.PictureNetworks.Lengths;
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.text.ExtraNetwork;
import kiln.runtime.text.PromptOptions;

/**
 * One request from prompt to pictures: {@link Conditioner} for each {@link PassPlan}, then for each batch and pass {@link RunNoise} and the
 * denoise loop over a {@link GuidedDenoiser}, and picture by picture {@link LatentDecoder}.
 *
 * <p>An object serves one request on the calling thread. Latents are {@code [batch, channels, height, width]}.
 */
public final class Drawing {
    private final ModelSession session;
    private final Model model;
    private final GenerationRequest request;
    private final LatentStart start;
    private final PictureUpscaler upscaler;
    private final PictureSink sink;
    private final BooleanSupplier cancelled;
    private final Consumer<GenerationEvent> listener;
    private final PromptOptions prompts;
    private final NoiseOptions noise;
    private final List<PassPlan> plans;
    private final ProgressTracker progress;
    private List<ExtraNetwork> added;

    /** A pass that is ready to run. */
    private record Pass(PassPlan plan, GuidedShapes shapes, Conditioning cond, Conditioning uncond) {}

    /**
     * What all batches have in common beside the prompts.
     *
     * @param latent of the first pass; {@code null} for noise
     * @param furtherChannels that an inpainting network reads in each pass; empty where it is none
     * @param overlay laid over the finished pictures; {@code null} for none
     */
    private record Beginning(LatentStart latent, List<float[]> furtherChannels, PreparedPicture.Overlay overlay) {}

    /**
     * @param request with its seeds filled in
     */
    public Drawing(
            ModelSession session, GenerationRequest request, PictureSink sink, BooleanSupplier cancelled, Consumer<GenerationEvent> listener) {
        this(session, request, null, PictureUpscaler.NONE, sink, cancelled, listener);
    }

    /**
     * @param request with its seeds filled in
     * @param upscalers of pictures between two passes; asked at once where the request names one
     */
    public Drawing(
            ModelSession session,
            GenerationRequest request,
            PictureUpscaler.Finder upscalers,
            PictureSink sink,
            BooleanSupplier cancelled,
            Consumer<GenerationEvent> listener) {
        this(session, request, null, upscalers, sink, cancelled, listener);
    }

    /** @param start what the first pass begins from in place of the request's picture */
    Drawing(
            ModelSession session,
            GenerationRequest request,
            LatentStart start,
            PictureUpscaler.Finder upscalers,
            PictureSink sink,
            BooleanSupplier cancelled,
            Consumer<GenerationEvent> listener) {
        this.session = session;
        this.request = request;
        this.start = start;
        boolean ofPictures = request.hires() != null && LatentUpscaler.find(request.hires().upscaler()).isEmpty();
        upscaler = ofPictures ? upscalers.find(request.hires().upscaler()) : null;
        this.sink = sink;
        this.cancelled = cancelled;
        this.listener = listener;
        model = session.model();
        prompts = session.withEmbeddings(request.settings().promptOptions());
        noise = request.noise();
        plans = PassPlan.of(request, model, prompts);
        progress = new ProgressTracker(request.steps(), request.pictureCount(), cancelled, listener);
    }

    public void run() {
        addNetworks(plans.get(0));
        List<NetworkShape> text = PictureNetworks.text(model, request);
        Conditioner conditioner = new Conditioner(session, text, prompts, progress);
        List<Conditioner.Chunked> positive = plans.stream().map(plan -> conditioner.chunk(plan.positive())).toList();
        List<Conditioner.Chunked> negative = plans.stream().map(plan -> conditioner.chunk(plan.negative())).toList();
        List<Lengths> lengths = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
            lengths.add(padded(positive.get(i).tokens(), negative.get(i).tokens()));
        }
        PictureNetworks networks = PictureNetworks.of(model, request, plans, lengths);
        session.announce(networks.all());
        prepare(networks.text(), "preparing the text encoder");
        List<Pass> passes = new ArrayList<>();
        Map<String, String> loraHashes = new LinkedHashMap<>();
        for (int i = 0; i < plans.size(); i++) {
            addNetworks(plans.get(i));
            loraHashes.putAll(session.loraHashes());
            Conditioning cond = lengthened(conditioner, conditioner.encode(positive.get(i)), lengths.get(i).tokens());
            Conditioning uncond = lengthened(conditioner, conditioner.encode(negative.get(i)), lengths.get(i).negativeTokens());
            passes.add(new Pass(plans.get(i), networks.passes().get(i), cond, uncond));
        }
        tellHashes(loraHashes, session.embeddingHashes());
        Beginning beginning = beginning(networks);
        passes.forEach(pass -> prepare(pass.shapes.all(), "preparing the denoiser"));
        prepare(List.of(networks.decoder()), "preparing the decoder");
        LatentDecoder decoder = new LatentDecoder(session, networks.decoder(), progress);
        prepare(networks.between(), "preparing the second pass");
        Enlargement enlargement = Enlargement.of(request, upscaler, session, networks.between(), progress);
        double pictureFlops = decoder.flops() + networks.between().stream().mapToDouble(shape -> session.network(shape).flops()).sum();
        double batchFlops = passes.stream().mapToDouble(this::flops).sum() + request.batchSize() * pictureFlops;
        progress.plan(request.batchCount() * batchFlops);
        for (int batch = 0; batch < request.batchCount(); batch++) {
            drawBatch(batch * request.batchSize(), passes, beginning, enlargement, decoder);
        }
    }

    private Beginning beginning(PictureNetworks networks) {
        PreparedPicture picture = request.init() == null || start != null
                ? null
                : PreparedPicture.of(request, notice -> listener.accept(new GenerationEvent.Notice(notice)));
        prepare(networks.encoders(), "preparing the encoder");
        List<PictureEncoder> encoders = networks.encoders().stream().map(shape -> new PictureEncoder(session, shape, progress)).toList();
        List<float[]> furtherChannels = new ArrayList<>();
        if (model.denoiser().inChannels() > model.latent().channels()) {
            for (PictureEncoder encoder : encoders) {
                furtherChannels.add(
                        picture == null ? InpaintingChannels.withoutPicture(encoder) : InpaintingChannels.of(encoder, picture, request));
            }
        }
        return picture == null
                ? new Beginning(start, furtherChannels, null)
                : new Beginning(encoders.get(0).start(picture, request), furtherChannels, picture.overlay());
    }

    /** A pass may have other networks than the one before, whose weights it then takes back; mostly there is nothing to do. */
    private void addNetworks(PassPlan plan) {
        List<ExtraNetwork> networks = plan.positive().networks();
        if (!networks.equals(added)) {
            session.add(networks, text -> listener.accept(new GenerationEvent.Notice(text)), loading("changing weights"));
            added = networks;
        }
    }

    private void tellHashes(Map<String, String> loras, Map<String, String> embeddings) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (!loras.isEmpty()) {
            parameters.put("Lora hashes", listed(loras));
        }
        if (!embeddings.isEmpty()) {
            parameters.put("TI hashes", listed(embeddings));
        }
        sink.parameters(parameters);
    }

    /** "name: hash, name: hash", the names without what separates them. */
    private static String listed(Map<String, String> hashes) {
        return hashes.entrySet().stream()
                .map(entry -> entry.getKey().replaceAll("[:,]", "") + ": " + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    private double flops(Pass pass) {
        double call = pass.shapes.perCall().stream().mapToDouble(shape -> session.network(shape).flops()).sum();
        return pass.plan.sampling().networkCalls() * call;
    }

    /** How long prompts of these lengths are in the end. */
    private Lengths padded(int tokens, int negativeTokens) {
        Settings settings = request.settings();
        if (settings.flag(Setting.PAD_COND_V0)) {
            return new Lengths(tokens, tokens);
        }
        int longer = Math.max(tokens, negativeTokens);
        return settings.flag(Setting.PAD_COND) ? new Lengths(longer, longer) : new Lengths(tokens, negativeTokens);
    }

    private Conditioning lengthened(Conditioner conditioner, Conditioning prompt, int tokens) {
        if (prompt.tokens() == tokens) {
            return prompt;
        }
        int width = model.encoders().stream().mapToInt(TextEncoder::width).sum();
        return request.settings().flag(Setting.PAD_COND_V0)
                ? prompt.cutOrRepeated(tokens, width)
                : prompt.filledUp(tokens, width, conditioner.encodeEmpty());
    }

    private void prepare(List<NetworkShape> networks, String what) {
        for (NetworkShape network : networks) {
            session.network(network).prepare(loading(what));
        }
    }

    private DoubleConsumer loading(String what) {
        return fraction -> {
            if (cancelled.getAsBoolean()) {
                throw KilnException.cancelled();
            }
            listener.accept(new GenerationEvent.Loading(what, fraction));
        };
    }

    private void drawBatch(int first, List<Pass> passes, Beginning beginning, Enlargement enlargement, LatentDecoder decoder) {
        long[] seeds = noise.seeds(request.seed(), first, request.batchSize());
        float[] latents = null;
        LatentShape shape = null;
        for (int i = 0; i < passes.size(); i++) {
            Pass pass = passes.get(i);
            float[] furtherChannels = beginning.furtherChannels.isEmpty() ? null : beginning.furtherChannels.get(i);
            LatentStart from = latents == null ? beginning.latent : new LatentStart(enlargement.of(latents, shape), null);
            shape = pass.plan.latent();
            addNetworks(pass.plan);
            latents = draw(pass, from, first, seeds, furtherChannels);
        }
        for (int i = 0; i < request.batchSize(); i++) {
            float[] finished = Arrays.copyOfRange(latents, i * shape.size(), (i + 1) * shape.size());
            sink.latent(first + i, seeds[i], finished, shape.height(), shape.width());
            progress.phase(Phase.DECODING, first + i);
            Picture drawn = decoder.decode(finished);
            Picture image = beginning.overlay == null ? drawn : beginning.overlay.over(drawn);
            listener.accept(new GenerationEvent.PictureDone(sink.picture(first + i, seeds[i], image)));
        }
    }

    /** One pass of a batch. @param begin {@code null} for noise */
    private float[] draw(Pass pass, LatentStart begin, int first, long[] seeds, float[] furtherChannels) {
        SamplingPlan plan = pass.plan.sampling();
        LatentShape shape = pass.plan.latent();
        // Calls are counted from 0 in each batch and pass.
        GuidedDenoiser network = new GuidedDenoiser(
                session, pass.plan, pass.shapes, progress, pass.cond, pass.uncond, furtherChannels, request.settings().guidance(), seeds.length);
        ModelDenoiser unmasked = new ModelDenoiser(network, pass.plan.levels(), model.prediction());
        ModelDenoiser denoiser = begin == null || begin.kept() == null ? unmasked : unmasked.keeping(begin.kept(), begin.latent());
        RunNoise random = new RunNoise(noise, seeds, noise.variationSeeds(first, seeds.length), shape, plan);
        LatentFormat format = model.latent().withPreview(session.defaults().preview());
        progress.phase(Phase.DENOISING, first);
        float[] x = begin == null ? plan.start(random.first()) : plan.start(begin.latent(), random.first());
        float[] latents = plan.run(x, denoiser, random, (step, steps, sigma, denoised) -> {
            progress.stepDone(step, steps);
            float[] values = Arrays.copyOf(denoised, shape.size());
            listener.accept(new GenerationEvent.Preview(
                    step, steps, first, new LatentImage(values, shape.height(), shape.width(), format.preview())));
        });
        return denoiser.withKept(latents);
    }
}
