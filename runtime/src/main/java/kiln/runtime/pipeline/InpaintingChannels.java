package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.Map;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.NetworkShape;

/** What an inpainting network reads beside the latent: a mask, then the latent of the masked picture. */
final class InpaintingChannels {
    private InpaintingChannels() {}

    /**
     * Without a picture to paint in, filled as A1111 fills them: a mask of ones, and the latent of a picture whose values are all 0.5.
     *
     * @param encoder of one picture
     * @return {@code [height, width, 1 + channels]}
     */
    static float[] withoutPicture(ModelSession session, NetworkShape encoder, ProgressTracker progress) {
        LatentFormat latent = session.model().latent();
        float[] image = new float[encoder.width() * encoder.height() * 3];
        Arrays.fill(image, 0.5f);
        float[] moments = session.network(encoder).run(Map.of("image", image), progress).get("moments");
        int channels = latent.channels();
        int positions = moments.length / (2 * channels);
        float[] further = new float[positions * (channels + 1)];
        for (int p = 0; p < positions; p++) {
            further[p * (channels + 1)] = 1;
            for (int k = 0; k < channels; k++) {
                further[p * (channels + 1) + 1 + k] = (moments[p * 2 * channels + k] - latent.shift()) * latent.scale();
            }
        }
        return further;
    }
}
