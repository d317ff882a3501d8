package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import kiln.runtime.image.PlaneResize;

/** The ways in which a hires fix enlarges latents themselves, by A1111's names. */
enum LatentUpscaler {
    BILINEAR("Latent", PlaneResize.BILINEAR),
    ANTIALIASED("Latent (antialiased)", PlaneResize.BILINEAR_ANTIALIASED),
    BICUBIC("Latent (bicubic)", PlaneResize.BICUBIC),
    BICUBIC_ANTIALIASED("Latent (bicubic antialiased)", PlaneResize.BICUBIC_ANTIALIASED),
    NEAREST("Latent (nearest)", PlaneResize.NEAREST),
    NEAREST_EXACT("Latent (nearest-exact)", PlaneResize.NEAREST_EXACT);

    private final String label;
    private final PlaneResize resize;

    LatentUpscaler(String label, PlaneResize resize) {
        this.label = label;
        this.resize = resize;
    }

    /** Empty when there is none of that name: then it is one of pictures, or none at all. */
    static Optional<LatentUpscaler> find(String name) {
        return Arrays.stream(values()).filter(upscaler -> upscaler.label.equalsIgnoreCase(name.strip())).findFirst();
    }

    static List<String> labels() {
        return Arrays.stream(values()).map(upscaler -> upscaler.label).toList();
    }

    PlaneResize resize() {
        return resize;
    }
}
