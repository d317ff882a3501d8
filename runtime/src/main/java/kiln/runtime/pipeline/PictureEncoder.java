package kiln.runtime.pipeline;

import java.util.Map;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Mask.Fill;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.ImageNoise;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseOptions;

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

    /** What every batch begins from when the request begins from a picture. */
    LatentStart start(PreparedPicture prepared, GenerationRequest request) {
        float[] latent = encode(values(prepared.picture()));
        LatentShape one = latentShape();
        float[] batch = repeated(latent, request.batchSize());
        if (prepared.mask() == null) {
            return new LatentStart(batch, null);
        }
        Mask mask = request.init().mask();
        float[] changing = repeated(prepared.changing(one.width(), one.height(), mask.soft()), one.channels() * request.batchSize());
        float[] kept = new float[batch.length];
        float[] noise = mask.fill() == Fill.LATENT_NOISE ? firstNoise(request, one) : new float[batch.length];
        for (int i = 0; i < batch.length; i++) {
            kept[i] = 1 - changing[i];
            if (mask.fill() == Fill.LATENT_NOISE || mask.fill() == Fill.LATENT_NOTHING) {
                batch[i] = batch[i] * kept[i] + noise[i] * changing[i];
            }
        }
        return new LatentStart(batch, kept);
    }

    /** Of the first batch's seeds, whatever their variation: all batches are filled with it. */
    private static float[] firstNoise(GenerationRequest request, LatentShape one) {
        NoiseOptions asked = request.noise();
        NoiseOptions plain = new NoiseOptions(asked.kind(), asked.card(), 0, 0, 0, 0, 0);
        float[] noise = new float[request.batchSize() * one.size()];
        new ImageNoise(plain, asked.seeds(request.seed(), 0, request.batchSize()), new long[0], one).next(noise);
        return noise;
    }

    private static float[] repeated(float[] values, int times) {
        float[] all = new float[times * values.length];
        for (int i = 0; i < times; i++) {
            System.arraycopy(values, 0, all, i * values.length, values.length);
        }
        return all;
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

    /** Of what {@link #encode} gives. */
    LatentShape latentShape() {
        LatentFormat format = session.model().latent();
        return new LatentShape(format.channels(), shape.height() / format.pixels(), shape.width() / format.pixels());
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
