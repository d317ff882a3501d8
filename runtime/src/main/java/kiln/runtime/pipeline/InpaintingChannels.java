package kiln.runtime.pipeline;

import java.util.Arrays;
import kiln.runtime.model.NetworkShape;

/** What an inpainting network reads beside the latent: a mask, then the latent of the masked picture. */
final class InpaintingChannels {
    private InpaintingChannels() {}

    /**
     * Without a picture to paint in, filled as A1111 fills them: a mask of ones, and the latent of a picture whose values are all 0.5.
     *
     * @param channels of a latent
     * @return {@code [height, width, 1 + channels]}
     */
    static float[] withoutPicture(PictureEncoder encoder, int channels) {
        NetworkShape shape = encoder.shape();
        float[] image = new float[shape.width() * shape.height() * 3];
        Arrays.fill(image, 0.5f);
        float[] latent = encoder.encode(image);
        int positions = latent.length / channels;
        float[] further = new float[positions * (channels + 1)];
        for (int p = 0; p < positions; p++) {
            further[p * (channels + 1)] = 1;
            for (int k = 0; k < channels; k++) {
                further[p * (channels + 1) + 1 + k] = latent[k * positions + p];
            }
        }
        return further;
    }
}
