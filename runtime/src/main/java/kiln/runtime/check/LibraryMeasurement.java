package kiln.runtime.check;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDriver;
import kiln.kernels.CudaException;
import kiln.kernels.DeviceChoice;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.engine.CudaOpening;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.exec.cuda.measure.ProductBench;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.pipeline.PictureNetworks;
import kiln.runtime.plan.NetworkNames;

/** Finds out where NVIDIA's libraries are faster than Kiln's own kernels on this card, and keeps that for {@link LibraryChoice#AUTO}. */
final class LibraryMeasurement {
    private static final Set<String> EXECUTORS = Set.of("auto", "cuda");

    private LibraryMeasurement() {}

    /**
     * Times the products of a CFG step, when there is a card and a library whose use is not settled by the options.
     *
     * @param height of the picture, as {@code width}
     * @return what was measured now; {@code null} when nothing was
     */
    static ProductTimes measure(
            EngineOptions options, Path checkpoint, int height, int width, Consumer<String> listener, Consumer<String> notices) {
        DeviceOptions device = options.device();
        boolean unsettled = device.gemm() == LibraryChoice.AUTO || device.convolution() == LibraryChoice.AUTO;
        if (!unsettled || !EXECUTORS.contains(options.executor()) || !CudaOpening.isWanted(options)) {
            return null;
        }
        try (ModelFiles file = ModelFiles.open(checkpoint)) {
            Model model = file.model();
            GenerationRequest request = GenerationRequest.builder().width(width).height(height).build();
            Graph denoiser = model.graph(PictureNetworks.of(model, request).passes().get(0).any());
            return measure(CudaDriver.load(Devices.cudaNativesFolder(options)), options, denoiser, listener);
        } catch (IOException | CudaException | KilnException e) {
            notices.accept("cuBLAS and cuDNN could not be timed: " + e.getMessage());
            return null;
        }
    }

    static ProductTimes measure(CudaDriver driver, EngineOptions options, Graph denoiser, Consumer<String> listener) throws IOException {
        DeviceChoice choice = CudaOpening.choose(driver, options);
        if (choice.device() == null) {
            return null;
        }
        try (CudaContext context = driver.open(choice.device().index());
                // One that is not there is not missed.
                DeviceLibraries libraries = DeviceLibraries.open(
                        context,
                        forced(options.device().gemm()),
                        forced(options.device().convolution()),
                        ProductTimes.NONE,
                        problem -> {})) {
            if (libraries.names().isEmpty()) {
                return null;
            }
            listener.accept("products by " + String.join(" and ", libraries.names()) + " and by Kiln's own kernels");
            ProductTimes measured = ProductBench.measure(
                    context, libraries, denoiser, NetworkNames.DENOISER, CudaOpening.settings(options, choice.device(), context));
            Path file = ProductTimes.file(options.cacheFolder(), context.device());
            ProductTimes.read(file).with(measured).write(file);
            return measured;
        }
    }

    private static LibraryChoice forced(LibraryChoice choice) {
        return choice == LibraryChoice.AUTO ? LibraryChoice.NVIDIA : LibraryChoice.PTX;
    }
}
