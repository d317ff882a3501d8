package kiln.runtime.check;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.runtime.base.KernelTimes;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.engine.CudaOpening;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.CudaExecutor;
import kiln.runtime.exec.cuda.measure.KernelBench;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.pipeline.PictureNetworks;

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
    public static KernelTimes kernels(
            EngineOptions options, Path checkpoint, int width, int height, Selection selection, boolean quick, Consumer<String> listener) {
        try (ModelFiles file = ModelFiles.open(checkpoint)) {
            Map<String, Graph> networks = networks(file, width, height);
            CudaOpening.Card card = Devices.openCard(options);
            try (CudaContext context = card.context()) {
                return KernelBench.run(context, card.settings(), networks, selection::takes, quick, listener);
            }
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    private static Map<String, Graph> networks(ModelFiles file, int width, int height) {
        Model model = file.model();
        PictureNetworks asked = PictureNetworks.of(model, GenerationRequest.builder().width(width).height(height).build());
        Map<String, Graph> networks = new LinkedHashMap<>();
        NetworkShape encoder = NetworkShape.encoder(1, height, width);
        for (NetworkShape shape : List.of(asked.passes().get(0).any(), asked.decoder(), encoder, asked.text().get(0))) {
            networks.put(shape.network(), model.graph(shape));
        }
        return networks;
    }

    /**
     * Bytes a second that can go to the card.
     *
     * @throws KilnException DEVICE or OUT_OF_MEMORY when the card fails or there is none
     */
    public static double busRate(EngineOptions options) {
        try (CudaContext context = Devices.openCard(options).context()) {
            return KernelBench.busRate(context);
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }
}
