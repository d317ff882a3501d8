package kiln.runtime.job;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;

/** Keeps what is drawn in memory, in order, and writes nothing. For one thread. */
public final class KeptPictures implements PictureSink {
    private final List<float[]> latents = new ArrayList<>();
    private final List<Picture> pictures = new ArrayList<>();

    @Override
    public void latent(int index, long seed, float[] latent, int height, int width) {
        latents.add(latent);
    }

    @Override
    public GeneratedPicture picture(int index, long seed, Picture image) {
        pictures.add(image);
        return new GeneratedPicture(index, seed, image, "", null);
    }

    /** {@code [channels, height, width]} each. */
    public List<float[]> latents() {
        return latents;
    }

    public List<Picture> pictures() {
        return pictures;
    }
}
