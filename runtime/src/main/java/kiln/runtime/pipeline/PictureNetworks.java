package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.model.TextEncoder;

/**
 * Which networks draw a request, and in which shapes: known here only, for drawing, planning, benches and what is asked of a card.
 *
 * @param text a chunk of a prompt in each of the model's encoders
 * @param encoder {@code null} where no picture is read
 * @param denoisers what one guided evaluation runs: one network for both halves, or one for each
 */
public record PictureNetworks(List<NetworkShape> text, NetworkShape encoder, List<NetworkShape> denoisers, NetworkShape decoder) {
    public PictureNetworks {
        text = List.copyOf(text);
        denoisers = List.copyOf(denoisers);
    }

    /**
     * How long the prompts are.
     *
     * @param parts of the prompt, which AND separates
     * @param plain whether the prompt is one part of weight 1
     * @param tokens of the longest part's chunks together
     * @param negativeTokens of the negative prompt's
     */
    public record Prompts(int parts, boolean plain, int tokens, int negativeTokens) {}

    /** @throws KilnException BAD_REQUEST when the model cannot draw this size or skip as many layers */
    public static PictureNetworks of(Model model, GenerationRequest request, Prompts prompts) {
        int pixels = model.latent().pixels();
        if (request.width() % pixels != 0 || request.height() % pixels != 0) {
            throw KilnException.badRequest(
                    "size " + request.width() + "x" + request.height() + ": this model needs multiples of " + pixels);
        }
        if (request.clipSkip() > model.mostClipSkip()) {
            throw KilnException.badRequest(
                    "clip skip " + request.clipSkip() + ": this model's text encoder has " + model.mostClipSkip() + " layers");
        }
        int height = request.height() / pixels;
        int width = request.width() / pixels;
        List<NetworkShape> text = new ArrayList<>();
        for (TextEncoder encoder : model.encoders()) {
            text.add(NetworkShape.text(encoder, request.clipSkip()));
        }
        boolean readsPicture = model.denoiser().inChannels() > model.latent().channels();
        return new PictureNetworks(
                text,
                readsPicture ? NetworkShape.encoder(1, request.height(), request.width()) : null,
                denoisers(request, height, width, prompts),
                NetworkShape.decoder(1, height, width));
    }

    /** For prompts of one chunk each, which most have. */
    public static PictureNetworks of(Model model, GenerationRequest request) {
        int tokens = model.encoders().get(0).chunkTokens();
        return of(model, request, new Prompts(1, true, tokens, tokens));
    }

    private static List<NetworkShape> denoisers(GenerationRequest request, int height, int width, Prompts prompts) {
        int batch = request.batchSize();
        int positive = prompts.parts * batch;
        if (request.cfgScale() == 1 && prompts.plain) {
            return List.of(NetworkShape.denoiser(positive, height, width, prompts.tokens));
        }
        if (prompts.tokens == prompts.negativeTokens) {
            return List.of(NetworkShape.denoiser(positive + batch, height, width, prompts.tokens));
        }
        return List.of(
                NetworkShape.denoiser(positive, height, width, prompts.tokens),
                NetworkShape.denoiser(batch, height, width, prompts.negativeTokens));
    }

    /** In the order of their turns. */
    public List<NetworkShape> all() {
        List<NetworkShape> all = new ArrayList<>(text);
        if (encoder != null) {
            all.add(encoder);
        }
        all.addAll(denoisers);
        all.add(decoder);
        return all;
    }
}
