package kiln.runtime.model;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.PostOp;

/**
 * The networks of an SD 1.x checkpoint one by one, inferred from its tensor shapes, for tests that look at one of them.
 *
 * @param unet the denoiser
 * @param vae the autoencoder
 * @param text the text encoder
 */
public record Checkpoint(UNet unet, Autoencoder vae, ClipText text) {
    /**
     * @param shapes the shape of a tensor by its full name, {@code null} where there is none
     * @throws kiln.runtime.graph.ModelException when a part is missing
     */
    public static Checkpoint infer(Function<String, List<Integer>> shapes) {
        return new Checkpoint(UNet.infer(shapes, 8), Autoencoder.infer(shapes), ClipText.infer(shapes, PostOp.Kind.QUICK_GELU));
    }
}
