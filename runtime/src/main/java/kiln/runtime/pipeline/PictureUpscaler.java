package kiln.runtime.pipeline;

import kiln.runtime.base.KilnException;
import kiln.runtime.image.Picture;

/** Makes pictures larger between two passes: the hires fix's upscalers that are not {@link LatentUpscaler}s. */
@FunctionalInterface
public interface PictureUpscaler {
    /** Where there are none. */
    Finder NONE = name -> {
        throw KilnException.badRequest(
                "no upscaler of hires fix is called \"" + name + "\": " + String.join(", ", LatentUpscaler.labels()));
    };

    /** Finds one by name. */
    @FunctionalInterface
    interface Finder {
        /** @throws KilnException when there is none of that name: one line that names those that there are */
        PictureUpscaler find(String name);
    }

    /** The picture in that size. */
    Picture upscale(Picture picture, int width, int height);
}
