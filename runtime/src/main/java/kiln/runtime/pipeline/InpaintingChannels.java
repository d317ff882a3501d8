package kiln.runtime.pipeline;

import java.util.Arrays;
import kiln.runtime.image.PlaneResize;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Setting;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.LatentShape;

/**
 * What an inpainting network reads beside the latent, {@code [height, width, 1 + channels]}: a mask, then the latent of the picture without
 * what the mask hides. Filled as A1111 fills them.
 */
final class InpaintingChannels {
    private InpaintingChannels() {}

    /** Without a picture to paint in: a mask of ones, and the latent of a picture whose values are all 0.5. */
    static float[] withoutPicture(PictureEncoder encoder) {
        NetworkShape shape = encoder.shape();
        float[] image = new float[shape.width() * shape.height() * 3];
        Arrays.fill(image, 0.5f);
        float[] mask = new float[shape.width() * shape.height()];
        Arrays.fill(mask, 1);
        return further(encoder, mask, image);
    }

    /** Without a mask it is one of ones. */
    static float[] of(PictureEncoder encoder, PreparedPicture picture, GenerationRequest request) {
        float[] image = PictureEncoder.values(picture.picture());
        float[] mask = new float[image.length / 3];
        for (int i = 0; i < mask.length; i++) {
            float value = picture.mask() == null ? 1 : (picture.mask().values()[i] & 255) / 255f;
            mask[i] = picture.mask() != null && request.init().mask().soft() ? value : (float) Math.rint(value);
        }
        float weight = (float) request.settings().number(Setting.MASK_WEIGHT);
        for (int i = 0; i < image.length; i++) {
            image[i] += weight * (image[i] * (1 - mask[i / 3]) - image[i]);
        }
        return further(encoder, mask, image);
    }

    private static float[] further(PictureEncoder encoder, float[] mask, float[] image) {
        NetworkShape shape = encoder.shape();
        LatentShape small = encoder.latentShape();
        float[] latent = encoder.encode(image);
        float[] smallMask = PlaneResize.NEAREST.resize(mask, shape.height(), shape.width(), small.height(), small.width());
        int positions = smallMask.length;
        int channels = small.channels();
        float[] further = new float[positions * (channels + 1)];
        for (int p = 0; p < positions; p++) {
            further[p * (channels + 1)] = smallMask[p];
            for (int k = 0; k < channels; k++) {
                further[p * (channels + 1) + 1 + k] = latent[k * positions + p];
            }
        }
        return further;
    }
}
