package kiln.runtime.pipeline;

import java.util.Map;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PictureResize;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InitPicture;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.NetworkShape;

/** From a picture to its latent: the mean of what the codec says, as nothing is drawn at random here. */
final class PictureEncoder {
    private final ModelSession session;
    private final NetworkShape shape;
    private final ProgressTracker progress;

    /** @param shape of one picture, in pixels */
    PictureEncoder(ModelSession session, NetworkShape shape, ProgressTracker progress) {
        this.session = session;
        this.shape = shape;
        this.progress = progress;
    }

    /** What a batch begins from when the request begins from a picture. */
    LatentStart start(GenerationRequest request) {
        InitPicture init = request.init();
        Picture read = PictureReader.read(init.file()).overWhite();
        Picture picture = switch (init.resize()) {
            case CROP -> PictureResize.cropped(read, request.width(), request.height());
            case FILL -> PictureResize.filled(read, request.width(), request.height());
            case JUST_RESIZE -> PictureResize.lanczos(read, request.width(), request.height());
        };
        float[] latent = encode(values(picture));
        float[] batch = new float[request.batchSize() * latent.length];
        for (int i = 0; i < request.batchSize(); i++) {
            System.arraycopy(latent, 0, batch, i * latent.length, latent.length);
        }
        return new LatentStart(batch, null);
    }

    /** -1 for black to 1 for white, {@code [height, width, 3]}. */
    static float[] values(Picture picture) {
        float[] values = new float[picture.rgb().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (picture.rgb()[i] & 255) / 255f * 2 - 1;
        }
        return values;
    }

    NetworkShape shape() {
        return shape;
    }

    /**
     * @param image {@code [height, width, 3]}, -1 to 1
     * @return {@code [channels, height, width]} in the sampler's scale
     */
    float[] encode(float[] image) {
        LatentFormat latent = session.model().latent();
        float[] moments = session.network(shape).run(Map.of("image", image), progress).get("moments");
        int channels = latent.channels();
        int positions = moments.length / (2 * channels);
        float[] planar = new float[channels * positions];
        for (int k = 0; k < channels; k++) {
            for (int p = 0; p < positions; p++) {
                planar[k * positions + p] = (moments[p * 2 * channels + k] - latent.shift()) * latent.scale();
            }
        }
        return planar;
    }
}
