package kiln.runtime.job;

import java.util.Map;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;

/** What happens to a finished latent and a finished picture. Called on the thread that draws. */
public interface PictureSink {
    /** What features have to say of all pictures that follow, as fields of A1111's parameters ("Lora hashes"): told once, before them. */
    default void parameters(Map<String, String> more) {}

    /**
     * A latent that is about to be decoded, {@code [channels, height, width]}: kept so that a failed decode loses nothing.
     *
     * @param index which of the job's pictures, from 0
     */
    void latent(int index, long seed, float[] latent, int height, int width);

    /** A picture of which the latent was seen before; returns it with where it lies now. */
    GeneratedPicture picture(int index, long seed, Picture image);
}
