package kiln.runtime.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.NearestName;
import kiln.runtime.upscale.UpscalerFile;

/** The upscalers that can be chosen: those that need no file, and what the folders hold. Every call looks anew. Safe from any thread. */
public final class Upscalers {
    public static final String NONE = "None";
    public static final String LANCZOS = "Lanczos";
    public static final String NEAREST = "Nearest";

    private static final List<String> ENDINGS = List.of(".pth", ".pt", ".safetensors");
    private static final int DEPTH = 3;

    /** What A1111 calls Real-ESRGAN's own files. */
    private static final Map<String, String> LABELS = Map.of(
            "realesrgan_x4plus", "R-ESRGAN 4x+",
            "realesrgan_x4plus_anime_6b", "R-ESRGAN 4x+ Anime6B",
            "realesrgan_x2plus", "R-ESRGAN 2x+",
            "realesr-general-x4v3", "R-ESRGAN General 4xV3",
            "realesr-general-wdn-x4v3", "R-ESRGAN General WDN 4xV3",
            "realesr-animevideov3", "R-ESRGAN AnimeVideo");

    private final List<Path> folders;

    /**
     * One that was found.
     *
     * @param name as A1111 lists it
     * @param file {@code null} for those that need none
     */
    public record Entry(String name, Path file) {
        public Entry {
            Objects.requireNonNull(name, "name");
        }

        /** A file that stands anywhere. */
        static Entry of(Path file) {
            String stem = stem(file);
            return new Entry(LABELS.getOrDefault(stem.toLowerCase(Locale.ROOT), stem), file);
        }
    }

    /**
     * What a file tells of itself.
     *
     * @param kind for people: "ESRGAN, 23 blocks"
     * @param scale how many times larger a picture becomes; 0 where the file is none
     * @param error why it cannot be used; {@code null} when it can
     */
    public record Description(String kind, int scale, String error) {}

    /** @param folders searched in order; they need not exist */
    public Upscalers(List<Path> folders) {
        this.folders = List.copyOf(folders);
    }

    /** Those without a file first, then by name. */
    public List<Entry> list() {
        List<Entry> found = new ArrayList<>();
        for (Path folder : folders) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> files = Files.walk(folder, DEPTH)) {
                    files.filter(Upscalers::isUpscaler).map(Entry::of).forEach(found::add);
                } catch (IOException | UncheckedIOException e) {
                    throw new KilnException(Category.STORAGE, folder + ": the folder cannot be read: " + e.getMessage(), e);
                }
            }
        }
        found.sort(Comparator.comparing(Entry::name, String.CASE_INSENSITIVE_ORDER).thenComparing(Entry::file));
        List<Entry> all = new ArrayList<>(Stream.of(NONE, LANCZOS, NEAREST).map(name -> new Entry(name, null)).toList());
        all.addAll(found);
        return all;
    }

    private static boolean isUpscaler(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return ENDINGS.stream().anyMatch(name::endsWith) && !name.startsWith(".") && Files.isRegularFile(file);
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /**
     * What a person means: a file, or a name with or without its ending, in any case.
     *
     * @throws KilnException NOT_FOUND when there is no such upscaler, and what was found instead
     */
    public Entry find(String text) {
        List<Entry> all = list();
        for (Entry entry : all) {
            Path file = entry.file();
            boolean called = entry.name().equalsIgnoreCase(text)
                    || file != null && (stem(file).equalsIgnoreCase(text) || file.getFileName().toString().equalsIgnoreCase(text));
            if (called) {
                return entry;
            }
        }
        Path file = path(text);
        if (file != null && Files.isRegularFile(file)) {
            return Entry.of(file.toAbsolutePath().normalize());
        }
        List<String> names = all.stream().map(Entry::name).toList();
        throw new KilnException(
                Category.NOT_FOUND,
                "no upscaler is called \"" + text + "\"" + NearestName.hint(text, names) + " There are " + String.join(", ", names)
                        + (folders.isEmpty() ? "" : "; give a file, or put it into " + folders.get(0)));
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** Opens the file and looks; what is wrong with it is part of the answer. */
    public static Description describe(Entry entry) {
        if (entry.file() == null) {
            return new Description("built in", 0, null);
        }
        try (UpscalerFile file = UpscalerFile.open(entry.file())) {
            return new Description(file.kind(), file.scale(), null);
        } catch (KilnException e) {
            return new Description("unknown", 0, e.getMessage());
        }
    }
}
