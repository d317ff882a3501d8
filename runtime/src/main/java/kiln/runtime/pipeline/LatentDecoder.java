package kiln.runtime.pipeline;

import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.DecodedPictures;
import kiln.runtime.image.Picture;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.NetworkShape;

/** From a finished latent to a picture. */
final class LatentDecoder {
    private final LatentFormat format;
    private final NetworkShape shape;
    private final ModelSession.Network network;
    private final ProgressTracker progress;

    LatentDecoder(ModelSession session, NetworkShape shape, ProgressTracker progress) {
        format = session.model().latent();
        this.shape = shape;
        network = session.network(shape);
        this.progress = progress;
    }

    double flops() {
        return network.flops();
    }

    /** @param latent {@code [channels, height, width]} in the sampler's scale */
    Picture decode(float[] latent) {
        float[] unscaled = Planes.interleaved(latent, format.channels(), shape.height() * shape.width(), 1 / format.scale(), format.shift());
        float[] values = network.run(Map.of("latent", unscaled), progress).get("image");
        progress.networkDone(network.flops());
        for (float value : values) {
            if (Float.isNaN(value)) {
                throw new KilnException(
                        KilnException.Category.DEVICE,
                        "the decoder gave not-a-number: try --no-half-vae, or --no-half if the denoiser is at fault");
            }
        }
        return DecodedPictures.fromInterleaved(values, 0, shape.height() * format.pixels(), shape.width() * format.pixels());
    }
}
