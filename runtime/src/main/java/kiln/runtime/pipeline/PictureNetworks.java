package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Setting;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.text.PromptOptions;

/**
 * Which networks draw a request, and in which shapes: known here only, for drawing, planning, benches and what is asked of a card.
 *
 * @param text a chunk of a prompt in each of the model's encoders
 * @param encoders of the picture that a pass begins from or that an inpainting network reads in it: for the first passes, or for none
 * @param between decoder of the first pass's latent and encoder of the larger picture; empty where no picture is made larger between passes
 * @param passes the denoiser in each pass
 * @param decoder of the last pass's latent
 */
public record PictureNetworks(
        List<NetworkShape> text,
        List<NetworkShape> encoders,
        List<NetworkShape> between,
        List<GuidedShapes> passes,
        NetworkShape decoder) {
    public PictureNetworks {
        text = List.copyOf(text);
        encoders = List.copyOf(encoders);
        between = List.copyOf(between);
        passes = List.copyOf(passes);
    }

    /**
     * How long a pass's prompts are.
     *
     * @param tokens of the longest part's chunks together
     * @param negativeTokens of the negative prompt's
     */
    record Lengths(int tokens, int negativeTokens) {}

    /** @param lengths for each pass */
    static PictureNetworks of(Model model, GenerationRequest request, List<PassPlan> passes, List<Lengths> lengths) {
        boolean skips = request.settings().guidance().skips();
        boolean tiling = request.settings().flag(Setting.TILING);
        List<GuidedShapes> shapes = new ArrayList<>();
        for (int i = 0; i < passes.size(); i++) {
            PassPlan pass = passes.get(i);
            shapes.add(GuidedShapes.of(
                    request.batchSize(), pass.positive().parts().size(), pass.latent(), lengths.get(i), pass.isGuided(), skips)
                    .withTiling(tiling));
        }
        LatentShape last = passes.get(passes.size() - 1).latent();
        return new PictureNetworks(
                text(model, request),
                encoders(model, request, passes),
                between(model, request, passes),
                shapes,
                NetworkShape.decoder(1, last.height(), last.width()).withTiling(tiling));
    }

    private static List<NetworkShape> encoders(Model model, GenerationRequest request, List<PassPlan> passes) {
        if (request.init() == null && model.denoiser().inChannels() == model.latent().channels()) {
            return List.of();
        }
        int pixels = model.latent().pixels();
        return passes.stream()
                .map(PassPlan::latent)
                .map(one -> NetworkShape.encoder(1, pixels * one.height(), pixels * one.width()))
                .map(shape -> shape.withTiling(request.settings().flag(Setting.TILING)))
                .toList();
    }

    private static List<NetworkShape> between(Model model, GenerationRequest request, List<PassPlan> passes) {
        if (request.hires() == null || LatentUpscaler.find(request.hires().upscaler()).isPresent()) {
            return List.of();
        }
        LatentShape first = passes.get(0).latent();
        HiresSize size = HiresSize.of(request, model.latent().pixels());
        int pixels = model.latent().pixels();
        return Stream.of(
                        NetworkShape.decoder(1, first.height(), first.width()),
                        NetworkShape.encoder(1, pixels * size.enlargedHeight(), pixels * size.enlargedWidth()))
                .map(shape -> shape.withTiling(request.settings().flag(Setting.TILING)))
                .toList();
    }

    /** @throws KilnException BAD_REQUEST when the model cannot skip as many layers */
    static List<NetworkShape> text(Model model, GenerationRequest request) {
        if (request.clipSkip() > model.mostClipSkip()) {
            throw KilnException.badRequest(
                    "clip skip " + request.clipSkip() + ": this model's text encoder has " + model.mostClipSkip() + " layers");
        }
        return model.encoders().stream().map(encoder -> NetworkShape.text(encoder, request.clipSkip())).toList();
    }

    /** For prompts of one chunk each, which most have. */
    public static PictureNetworks of(Model model, GenerationRequest request) {
        int tokens = model.encoders().get(0).chunkTokens();
        List<PassPlan> passes = PassPlan.of(request, model, PromptOptions.DEFAULT);
        return of(model, request, passes, passes.stream().map(pass -> new Lengths(tokens, tokens)).toList());
    }

    /** In the order of their turns. */
    public List<NetworkShape> all() {
        List<NetworkShape> all = new ArrayList<>(text);
        all.addAll(encoders);
        all.addAll(between);
        passes.forEach(pass -> all.addAll(pass.all()));
        all.add(decoder);
        return all;
    }
}
