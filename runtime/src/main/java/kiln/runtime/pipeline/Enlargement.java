package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.List;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PlaneResize;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.LatentShape;

/** From a first pass's latents to what the second one begins with. */
@FunctionalInterface
interface Enlargement {
    /** @param latents {@code [batch, channels, height, width]} in the sampler's scale */
    float[] of(float[] latents, LatentShape shape);

    /**
     * The latents themselves made larger, or the pictures in them: decoded, made larger, encoded.
     *
     * @param upscaler of pictures; {@code null} where latents are made larger
     * @param between as {@link PictureNetworks} has it
     * @return {@code null} where there is one pass only
     */
    static Enlargement of(
            GenerationRequest request,
            PictureUpscaler upscaler,
            ModelSession session,
            List<NetworkShape> between,
            ProgressTracker progress) {
        if (request.hires() == null) {
            return null;
        }
        int pixels = session.model().latent().pixels();
        HiresSize size = HiresSize.of(request, pixels);
        if (upscaler == null) {
            PlaneResize resize = LatentUpscaler.find(request.hires().upscaler()).orElseThrow().resize();
            return (latents, shape) ->
                    size.cut(resize.resize(latents, shape.height(), shape.width(), size.enlargedHeight(), size.enlargedWidth()));
        }
        LatentDecoder decoder = new LatentDecoder(session, between.get(0), progress);
        PictureEncoder encoder = new PictureEncoder(session, between.get(1), progress);
        return (latents, shape) -> {
            int count = latents.length / shape.size();
            float[] all = null;
            for (int i = 0; i < count; i++) {
                Picture picture = decoder.decode(Arrays.copyOfRange(latents, i * shape.size(), (i + 1) * shape.size()));
                Picture larger = upscaler.upscale(picture, pixels * size.enlargedWidth(), pixels * size.enlargedHeight());
                float[] latent = encoder.encode(PictureEncoder.values(larger));
                progress.networkDone(session.network(encoder.shape()).flops());
                all = all == null ? new float[count * latent.length] : all;
                System.arraycopy(latent, 0, all, i * latent.length, latent.length);
            }
            return size.cut(all);
        };
    }
}
