package kiln.runtime.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Version;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureGrid;
import kiln.runtime.image.PictureWriter;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.InfoTextWriter;
import kiln.runtime.job.PictureSink;
import kiln.runtime.job.SaveOptions;
import kiln.runtime.job.Setting;
import kiln.weights.ModelCatalog;
import kiln.weights.ModelHashes;
import kiln.weights.WeightsException;

/**
 * Puts a job's pictures into the output folder with the text that reproduces them. A latent is saved before it is decoded, and deleted
 * when its picture is safe.
 */
public final class PictureStore implements PictureSink {
    /** All pictures of a job are kept for its grid. */
    private static final long MOST_GRID_PIXELS = 64L << 20;

    private final GenerationRequest request;
    private final Path vae;
    private final Consumer<String> notices;
    private final PictureFiles files;
    private final PictureFiles gridFiles;
    private final SaveOptions options;
    private final List<Picture> pictures = new ArrayList<>();
    private long pixels;
    private final CompletableFuture<String> modelHash;
    private final CompletableFuture<String> vaeHash;
    private Path latentFile;
    private Map<String, String> parameters = Map.of();

    /**
     * @param request complete: with its model and seed
     * @param vae what takes the place of the model's own, {@code null} when nothing does
     * @param outputFolder {@code null} keeps pictures in memory only
     * @param options how pictures are named, and whether they get a grid
     * @param notices told, in words for people, of a picture that the wanted format cannot hold
     */
    public PictureStore(
            GenerationRequest request, Path vae, Path outputFolder, SaveOptions options, ModelHashes hashes, Consumer<String> notices) {
        this.request = request;
        this.vae = vae;
        this.notices = notices;
        this.options = options;
        Clock clock = Clock.systemDefaultZone();
        files = outputFolder == null ? null : new PictureFiles(outputFolder, options, clock);
        gridFiles = outputFolder == null ? null : new PictureFiles(PictureFiles.gridFolder(outputFolder), options, clock);
        // Hashing a model of several gigabytes takes a while: it goes on beside the first picture's making.
        modelHash = CompletableFuture.supplyAsync(() -> hash(hashes, request.model()));
        vaeHash = modelHash.thenApplyAsync(hash -> vae == null ? null : hash(hashes, vae));
    }

    private static String hash(ModelHashes hashes, Path file) {
        try {
            return hashes.shortHash(file).orElse(null);
        } catch (WeightsException e) {
            // The picture matters more: its text then goes without the hash.
            return null;
        }
    }

    private InfoText infoText(int index, long seed) {
        String vaeName = vae == null ? null : vae.getFileName().toString();
        InfoTextWriter.Model model =
                new InfoTextWriter.Model(ModelCatalog.stemOf(request.model()), modelHash.join(), vaeName, vaeHash.join());
        long variationSeed = request.noise().variationSeeds(index, 1)[0];
        return InfoTextWriter.write(request, seed, variationSeed, model, parameters, "kiln-" + Version.TEXT);
    }

    @Override
    public void parameters(Map<String, String> more) {
        parameters = new LinkedHashMap<>(more);
    }

    @Override
    public void latent(int index, long seed, float[] latent, int height, int width) {
        if (files != null) {
            InfoText text = infoText(index, seed);
            latentFile = files.saveLatent(new LatentFile(latent, height, width, text.format()), text);
        }
    }

    private Path save(int index, Picture image, InfoText text) {
        try {
            PictureEncoding encoding = request.settings().encoding();
            String refusal = PictureWriter.refusal(encoding, image.width(), image.height(), text.format());
            if (refusal != null) {
                notices.accept(refusal);
                encoding = PictureEncoding.PNG;
            }
            PictureFiles.Place place = new PictureFiles.Place(index, request.batchSize(), request.pictureCount(), request.seed());
            return files.save(image, text, encoding, request.settings().flag(Setting.SAVE_TEXT), place);
        } catch (KilnException e) {
            if (latentFile == null) {
                throw e;
            }
            throw new KilnException(e.category(), e.getMessage() + " (its latent is kept in " + latentFile.getFileName() + " there)", e);
        }
    }

    @Override
    public GeneratedPicture picture(int index, long seed, Picture image) {
        InfoText text = infoText(index, seed);
        Path file = files == null ? null : save(index, image, text);
        keepForGrid(image);
        if (latentFile != null) {
            try {
                Files.deleteIfExists(latentFile);
            } catch (IOException e) {
                // A latent that stays behind does no harm.
                latentFile = null;
            }
        }
        return new GeneratedPicture(index, seed, image, text.format(), file);
    }

    private void keepForGrid(Picture image) {
        if (gridFiles == null || !options.grid()) {
            return;
        }
        pixels += (long) image.width() * image.height();
        if (pixels <= MOST_GRID_PIXELS) {
            pictures.add(image);
        } else {
            pictures.clear();
        }
    }

    /** Saves the job's pictures as one, where that is wanted. @return the file; empty for none, and where all would be too large to keep */
    public Optional<Path> saveGrid() {
        if (pictures.size() < (options.gridOfOne() ? 1 : 2)) {
            return Optional.empty();
        }
        int rows = PictureGrid.rows(pictures.size(), request.batchSize(), options.gridRows(), options.gridFilled());
        Picture grid = PictureGrid.of(
                pictures, rows, new PictureGrid.Colours(options.gridBackground(), options.gridActive(), options.gridInactive()));
        return Optional.of(gridFiles.saveGrid("grid", grid, infoText(0, request.seed())));
    }
}
