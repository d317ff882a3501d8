package kiln.runtime.check;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.engine.CudaOpening;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.Executors;
import kiln.runtime.exec.cuda.CudaExecutor;
import kiln.runtime.exec.cuda.measure.KernelBench;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.text.TokenChunk;

/** Times a card's kernels and its bus, outside any picture. */
public final class CardBench {
    private CardBench() {}

    /**
     * Times the kernels of a picture's networks, a guided step's first, and of attention at the sizes that others publish.
     *
     * @param width with {@code height}, of the picture, in pixels
     * @param selection of "group kernel variant sizes"
     * @param quick whether each is launched only once, for a card that is only emulated
     * @param listener told what is being timed, and what cannot be
     * @throws KilnException DEVICE or OUT_OF_MEMORY when the card fails or there is none
     */
    public static KernelBench.Result kernels(
            EngineOptions options, Path checkpoint, int width, int height, Selection selection, boolean quick, Consumer<String> listener) {
        try (CheckpointFile file = CheckpointFile.open(checkpoint)) {
            Map<String, Graph> networks = networks(file, width, height);
            CudaOpening.Card card = Executors.openCard(options);
            try (CudaContext context = card.context()) {
                return KernelBench.run(context, card.settings(), networks, selection::takes, quick, listener);
            }
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    private static Map<String, Graph> networks(CheckpointFile file, int width, int height) {
        Checkpoint sizes = file.sizes();
        int h = height / sizes.vae().scale();
        int w = width / sizes.vae().scale();
        Map<String, Graph> networks = new LinkedHashMap<>();
        networks.put(NetworkNames.DENOISER, sizes.unet().graph(file::shape, 2, h, w, TokenChunk.LENGTH, 1));
        networks.put(NetworkNames.DECODER, sizes.vae().decoder(file::shape, 1, h, w));
        networks.put(NetworkNames.ENCODER, sizes.vae().encoder(file::shape, 1, h * sizes.vae().scale(), w * sizes.vae().scale()));
        networks.put(NetworkNames.TEXT_ENCODER, sizes.text().graph(file::shape, 2, TokenChunk.LENGTH, 1));
        return networks;
    }

    /**
     * Bytes a second that can go to the card.
     *
     * @throws KilnException DEVICE or OUT_OF_MEMORY when the card fails or there is none
     */
    public static double busRate(EngineOptions options) {
        try (CudaContext context = Executors.openCard(options).context()) {
            return KernelBench.busRate(context);
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }
}
