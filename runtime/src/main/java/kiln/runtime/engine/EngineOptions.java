package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.Precision;
import kiln.runtime.job.SaveOptions;

/**
 * Where things are and how to compute, fixed for an engine's life.
 *
 * @param modelFiles checkpoints named by the user ({@code --ckpt}); the first is the default model
 * @param modelFolders folders searched for checkpoints, in order
 * @param demoModel the bundled model, {@code null} when it was left out
 * @param outputFolder parent of a folder for each date; {@code null} keeps pictures in memory only
 * @param cacheFolder hashes and unpacked native libraries
 * @param executor one of {@link Devices#NAMES}
 * @param precision what networks are computed in; on a card, results between operations are f16 unless it says F32
 * @param threads 0 for one per physical core
 * @param device how to use a graphics card
 * @param models how checkpoints are completed and known
 * @param addOns where files lie that prompts may add to a model
 * @param saving how pictures are named, and whether several get a grid
 */
public record EngineOptions(
        List<Path> modelFiles,
        List<Path> modelFolders,
        Path demoModel,
        Path outputFolder,
        Path cacheFolder,
        String executor,
        Precision precision,
        int threads,
        DeviceOptions device,
        ModelOptions models,
        AddOnFolders addOns,
        SaveOptions saving) {
    public EngineOptions {
        modelFiles = List.copyOf(modelFiles);
        modelFolders = List.copyOf(modelFolders);
        Objects.requireNonNull(cacheFolder, "cacheFolder");
        Objects.requireNonNull(executor, "executor");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(models, "models");
        Objects.requireNonNull(addOns, "addOns");
        Objects.requireNonNull(saving, "saving");
    }

    public EngineOptions withModels(ModelOptions other) {
        return with(device, other, addOns, saving);
    }

    public EngineOptions withAddOns(AddOnFolders folders) {
        return with(device, models, folders, saving);
    }

    public EngineOptions withSaving(SaveOptions other) {
        return with(device, models, addOns, other);
    }

    public EngineOptions withDevice(DeviceOptions other) {
        return with(other, models, addOns, saving);
    }

    private EngineOptions with(DeviceOptions device, ModelOptions models, AddOnFolders addOns, SaveOptions saving) {
        return new EngineOptions(
                modelFiles, modelFolders, demoModel, outputFolder, cacheFolder, executor, precision, threads, device, models, addOns, saving);
    }

    /** With everything about models and saving as usual, and nothing to add. */
    public EngineOptions(
            List<Path> modelFiles,
            List<Path> modelFolders,
            Path demoModel,
            Path outputFolder,
            Path cacheFolder,
            String executor,
            Precision precision,
            int threads,
            DeviceOptions device) {
        this(
                modelFiles, modelFolders, demoModel, outputFolder, cacheFolder, executor, precision, threads, device, ModelOptions.DEFAULT,
                AddOnFolders.NONE, SaveOptions.USUAL);
    }

    /** With {@link DeviceOptions#DEFAULT}. */
    public EngineOptions(
            List<Path> modelFiles,
            List<Path> modelFolders,
            Path demoModel,
            Path outputFolder,
            Path cacheFolder,
            String executor,
            Precision precision,
            int threads) {
        this(modelFiles, modelFolders, demoModel, outputFolder, cacheFolder, executor, precision, threads, DeviceOptions.DEFAULT);
    }
}
