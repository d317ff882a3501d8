package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.Supplier;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.Device;
import kiln.runtime.family.ModelSource;
import kiln.runtime.image.DecodedPicture;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureReader;
import kiln.runtime.image.PictureTexts;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.Tiling;
import kiln.runtime.job.UpscaleRequest;
import kiln.runtime.store.PictureFile;
import kiln.runtime.upscale.Enlarging;
import kiln.runtime.upscale.Upscaler;
import kiln.runtime.upscale.UpscalerFile;

/**
 * Makes pictures larger on a device, one after another; the upscaler used last stays open. For one thread at a time. The creator closes it,
 * before the device.
 */
public final class Upscaling implements AutoCloseable {
    private static final String POSTPROCESSING = "postprocessing";
    private static final String EXTRAS = "extras";

    private final Upscalers upscalers;
    private final Supplier<Device> device;
    private final Consumer<String> notices;
    private Upscaler upscaler;

    /**
     * @param device opened with the first upscaler that computes; stays the caller's to close
     * @param notices told in one line what a person may want to know
     */
    public Upscaling(Upscalers upscalers, Supplier<Device> device, Consumer<String> notices) {
        this.upscalers = upscalers;
        this.device = device;
        this.notices = notices;
    }

    /** What computes, for people; empty while nothing had to. */
    public String device() {
        return upscaler == null ? "" : upscaler.device();
    }

    /**
     * A picture as a request wants it. "None" gives it unchanged, as in A1111's Extras.
     *
     * @param progress told the fraction done of one use of the upscaler, 0 to 1; may throw to stop
     * @throws KilnException also for what goes wrong inside
     */
    public Picture upscale(UpscaleRequest request, Picture picture, DoubleConsumer progress) {
        Upscalers.Entry entry = upscalers.find(request.upscaler());
        if (entry.name().equals(Upscalers.NONE)) {
            return picture;
        }
        double scale = request.scaleOf(picture.width(), picture.height());
        Picture larger = Enlarging.by(picture, scale, once(entry, request.tiling(), progress));
        return request.crop() ? Enlarging.cropped(larger, request.width(), request.height()) : larger;
    }

    /** @throws KilnException NOT_FOUND when there is none of that name */
    public void check(String name) {
        upscalers.find(name);
    }

    /** A picture of that size, as a second pass begins with it. "None" is Lanczos, as there. */
    public Picture resize(String name, Tiling tiling, Picture picture, int width, int height, DoubleConsumer progress) {
        Upscalers.Entry entry = upscalers.find(name);
        return Enlarging.to(picture, width, height, once(entry, tiling, progress));
    }

    private Enlarging.Once once(Upscalers.Entry entry, Tiling tiling, DoubleConsumer progress) {
        if (entry.file() == null) {
            return switch (entry.name()) {
                case Upscalers.NEAREST -> Enlarging::nearest;
                case Upscalers.LANCZOS -> Enlarging::lanczos;
                default -> (picture, scale) -> picture;
            };
        }
        return (picture, scale) -> {
            try {
                return open(entry.file()).upscale(picture, tiling, progress);
            } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
                KilnException failure = EngineFailures.of(e);
                if (failure.category() != Category.CANCELLED) {
                    close();
                }
                throw failure;
            }
        };
    }

    private Upscaler open(Path file) {
        if (upscaler == null || !upscaler.file().key().equals(ModelSource.of(file).key())) {
            close();
            upscaler = new Upscaler(UpscalerFile.open(file), weights -> device.get().executor(weights, notices));
        }
        return upscaler;
    }

    /**
     * Reads a picture, makes it larger and saves it as PNG with all its texts and what was done.
     *
     * @param target its file; another one there is replaced only if {@code replace}, else the name gets a number
     * @return where it is
     */
    public Path upscale(UpscaleRequest request, Path source, Path target, boolean replace, DoubleConsumer progress) {
        DecodedPicture read = PictureReader.read(source);
        Map<String, String> texts = new LinkedHashMap<>(read.texts());
        texts.remove(PictureTexts.STEALTH);
        String comment = texts.remove(PictureTexts.USER_COMMENT);
        if (comment != null) {
            texts.putIfAbsent(InfoText.PNG_KEYWORD, comment);
        }
        // A1111 drops what is transparent here, it does not blend it.
        Picture larger = upscale(request, read.picture(), progress);
        String name = upscalers.find(request.upscaler()).name();
        if (!name.equals(Upscalers.NONE)) {
            texts.put(POSTPROCESSING, request.postprocessing(name));
            texts.put(EXTRAS, request.postprocessing(name));
        }
        return PictureFile.save(target, replace, larger, texts);
    }

    /** Not for good: the next picture opens its upscaler anew. */
    @Override
    public void close() {
        if (upscaler != null) {
            upscaler.close();
            upscaler = null;
        }
    }
}
