package kiln.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The checkpoints in some folders and files, by name: files, and folders as the diffusers library writes them. A scan
 * reads no file; hashes come from {@link ModelHashes}. Immutable, for any number of threads; scan again to see changes.
 */
public final class ModelCatalog {
    private static final int MAX_DEPTH = 32;
    private static final Pattern TRAILING_HASH = Pattern.compile("\\s*\\[[^\\]]*]\\s*$");
    private static final Pattern LEGACY_HASH = Pattern.compile("(?i)([0-9a-f]{8})|.* \\[([0-9a-f]{8})]");

    private static final String DIFFUSERS_INDEX = "model_index.json";

    private final List<Model> models;
    private final ModelHashes hashes;

    private ModelCatalog(List<Model> models, ModelHashes hashes) {
        this.models = List.copyOf(models);
        this.hashes = hashes;
    }

    /**
     * A checkpoint.
     *
     * @param path its file, or its folder where the diffusers library wrote it
     * @param name its path below the scanned folder, with {@code /} between the parts; for a file given by itself, its file name
     * @param bytes of the file, or of all weights in the folder
     */
    public record Model(Path path, String name, long bytes) {
        public Model {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(name, "name");
        }

        /** The file name without folder and extension. */
        public String stem() {
            return stemOf(path);
        }
    }

    /**
     * Looks for {@code *.ckpt} and {@code *.safetensors} in folders and all below them, links followed, and takes files as they
     * are given. VAE files ({@code *.vae.*}) are left out; folders that are missing or unreadable are passed over; a file that is
     * reachable by several ways is listed once.
     */
    public static ModelCatalog scan(List<Path> filesAndFolders, ModelHashes hashes) {
        Scan scan = new Scan(ModelCatalog::isCheckpoint, true);
        filesAndFolders.forEach(scan::add);
        return new ModelCatalog(scan.distinct(), hashes);
    }

    /**
     * VAEs: {@code *.vae.ckpt}, {@code *.vae.pt} and {@code *.vae.safetensors} beside checkpoints and in their folders, and every
     * {@code *.ckpt}, {@code *.pt} and {@code *.safetensors} in folders of VAEs, in the natural order of their file names. Of several
     * with one file name the last is kept.
     *
     * @param checkpoints named by themselves: their folders are looked at, and none below
     */
    public static List<Model> vaes(List<Path> checkpoints, List<Path> checkpointFolders, List<Path> vaeFolders) {
        Scan beside = new Scan(ModelCatalog::isVae, false);
        for (Path checkpoint : checkpoints) {
            beside.walk(checkpoint.toAbsolutePath().getParent(), 1);
        }
        checkpointFolders.forEach(beside::add);
        Scan all = new Scan(file -> hasExtension(file, "ckpt", "pt", "safetensors"), false);
        vaeFolders.forEach(all::add);
        Map<String, Model> byFileName = new LinkedHashMap<>();
        for (Scan scan : List.of(beside, all)) {
            scan.models.forEach(model -> byFileName.put(model.path().getFileName().toString(), model));
        }
        return byFileName.values().stream()
                .sorted(Comparator.comparing(model -> model.path().getFileName().toString(), NaturalOrder.INSTANCE))
                .toList();
    }

    /** A file's name without its extension; a folder's whole name, which may well have a dot. */
    public static String stemOf(Path path) {
        String fileName = path.toAbsolutePath().normalize().getFileName().toString();
        int dot = fileName.lastIndexOf('.');
        return dot <= 0 || Files.isDirectory(path) ? fileName : fileName.substring(0, dot);
    }

    /** Whether this is a folder as the diffusers library writes one for a model. */
    public static boolean isDiffusersFolder(Path path) {
        return Files.isRegularFile(path.resolve(DIFFUSERS_INDEX));
    }

    /** All models, in the natural order of their names: {@code v2} before {@code v10}. */
    public List<Model> models() {
        return models;
    }

    /** {@code name.ext [0123456789]} when the model's hash is known already, else the name. */
    public String title(Model model) {
        return hashes.cachedSha256(model.path())
                .map(sha256 -> model.name() + " [" + ModelHashes.shortHash(sha256) + "]")
                .orElse(model.name());
    }

    /**
     * The model that a person or a picture's parameters mean: by exact name, file name, stem, title or hash (10 digits, all 64, or
     * the older 8, also behind a name as in titles); else the shortest title that contains the text; else the same for the text without a trailing
     * {@code [hash]}. Hashes that are not known yet are not computed.
     */
    public Optional<Model> find(String request) {
        String text = request.strip();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        return models.stream().filter(model -> isAlias(model, text)).findFirst()
                .or(() -> byLegacyHash(text))
                .or(() -> shortestTitleWith(text))
                .or(() -> shortestTitleWith(TRAILING_HASH.matcher(text).replaceFirst("")));
    }

    private boolean isAlias(Model model, String text) {
        String fileName = model.path().getFileName().toString();
        String inOneWord = model.name().substring(0, model.name().length() - fileName.length()).replace('/', '_') + model.stem();
        if (text.equals(model.name()) || text.equals(fileName) || text.equals(model.stem()) || text.equals(inOneWord)
                || text.equals(model.path().toString())) {
            return true;
        }
        Optional<String> sha256 = hashes.cachedSha256(model.path());
        if (sha256.isEmpty()) {
            return false;
        }
        String lowerCase = text.toLowerCase(Locale.ROOT);
        String shortHash = ModelHashes.shortHash(sha256.get());
        return lowerCase.equals(shortHash) || lowerCase.equals(sha256.get()) || isTitle(model, text, shortHash);
    }

    private static boolean isTitle(Model model, String text, String hash) {
        return text.equals(model.name() + " [" + hash + "]") || text.equals(model.stem() + " [" + hash + "]");
    }

    /** These read 64 KiB a file, so only a text that looks like one is worth it. */
    private Optional<Model> byLegacyHash(String text) {
        Matcher hash = LEGACY_HASH.matcher(text);
        if (!hash.matches()) {
            return Optional.empty();
        }
        boolean alone = hash.group(1) != null;
        String digits = hash.group(alone ? 1 : 2).toLowerCase(Locale.ROOT);
        return models.stream().filter(model -> {
            try {
                return (alone || isTitle(model, text, digits)) && ModelHashes.legacyHash(model.path()).equals(digits);
            } catch (WeightsException e) {
                return false;
            }
        }).findFirst();
    }

    private Optional<Model> shortestTitleWith(String text) {
        return text.isEmpty() ? Optional.empty() : models.stream()
                .filter(model -> title(model).contains(text))
                .min(Comparator.comparingInt(model -> title(model).length()));
    }

    private static boolean isCheckpoint(Path file) {
        return hasExtension(file, "ckpt", "safetensors") && !isVae(file);
    }

    private static boolean isVae(Path file) {
        return hasExtension(file, "vae.ckpt", "vae.pt", "vae.safetensors");
    }

    private static boolean hasExtension(Path file, String... extensions) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return Arrays.stream(extensions).anyMatch(extension -> name.endsWith("." + extension));
    }

    private static final class Scan {
        private final Predicate<Path> wanted;
        private final boolean takesFolders;
        private final List<Model> models = new ArrayList<>();
        private final Set<Object> seenFolders = new HashSet<>();

        /** @param takesFolders whether folders of the diffusers library are looked for as well; nothing inside them is, in any case */
        Scan(Predicate<Path> wanted, boolean takesFolders) {
            this.wanted = wanted;
            this.takesFolders = takesFolders;
        }

        void add(Path fileOrFolder) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(fileOrFolder, BasicFileAttributes.class);
                if (attributes.isDirectory() && isDiffusersFolder(fileOrFolder)) {
                    addFolder(fileOrFolder, stemOf(fileOrFolder));
                } else if (attributes.isDirectory()) {
                    walk(fileOrFolder, MAX_DEPTH);
                } else if (attributes.isRegularFile()) {
                    models.add(new Model(fileOrFolder, fileOrFolder.getFileName().toString(), attributes.size()));
                }
            } catch (IOException e) {
                // Passed over: what is not there offers no models.
            }
        }

        private void addFolder(Path folder, String name) {
            if (takesFolders) {
                models.add(new Model(folder, name, weightsBytes(folder)));
            }
        }

        private static long weightsBytes(Path folder) {
            try (Stream<Path> files = Files.walk(folder, 2)) {
                return files.filter(file -> hasExtension(file, "safetensors", "bin")).mapToLong(file -> file.toFile().length()).sum();
            } catch (IOException | UncheckedIOException e) {
                return 0;
            }
        }

        void walk(Path root, int depth) {
            try {
                Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), depth, new Visitor(root));
            } catch (IOException e) {
                // Passed over, as what is missing.
            }
        }

        private final class Visitor extends SimpleFileVisitor<Path> {
            private final Path root;

            Visitor(Path root) {
                this.root = root;
            }

            private String nameOf(Path path) {
                return root.relativize(path).toString().replace(path.getFileSystem().getSeparator(), "/");
            }

            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                // Links could lead to a folder again and again, by more ways than can be walked.
                Object key = attributes.fileKey() == null ? folder.toRealPath() : attributes.fileKey();
                if (!seenFolders.add(key)) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                if (!folder.equals(root) && isDiffusersFolder(folder)) {
                    addFolder(folder, nameOf(folder));
                    return FileVisitResult.SKIP_SUBTREE;
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile() && wanted.test(file)) {
                    models.add(new Model(file, nameOf(file), attributes.size()));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        }

        /** In order of names; of several ways to one file the first is kept, whatever order the folders were read in. */
        List<Model> distinct() {
            Set<Path> seen = new HashSet<>();
            models.sort(Comparator.comparing(Model::name, NaturalOrder.INSTANCE));
            models.removeIf(model -> {
                try {
                    return !seen.add(model.path().toRealPath());
                } catch (IOException e) {
                    // Gone since the walk.
                    return true;
                }
            });
            return models;
        }
    }

    /** Compares runs of digits as numbers and the rest without regard to case. */
    private enum NaturalOrder implements Comparator<String> {
        INSTANCE;

        private static final Pattern RUNS = Pattern.compile("(?<=\\d)(?=\\D)|(?<=\\D)(?=\\d)");

        @Override
        public int compare(String a, String b) {
            String[] left = RUNS.split(a);
            String[] right = RUNS.split(b);
            for (int i = 0; i < Math.min(left.length, right.length); i++) {
                int order = compareRuns(left[i], right[i]);
                if (order != 0) {
                    return order;
                }
            }
            int order = Integer.compare(left.length, right.length);
            return order != 0 ? order : a.compareTo(b);
        }

        private static int compareRuns(String a, String b) {
            boolean numbers = !a.isEmpty() && !b.isEmpty() && Character.isDigit(a.charAt(0)) && Character.isDigit(b.charAt(0));
            if (!numbers) {
                return a.compareToIgnoreCase(b);
            }
            String left = a.replaceFirst("^0+(?=\\d)", "");
            String right = b.replaceFirst("^0+(?=\\d)", "");
            return left.length() != right.length() ? Integer.compare(left.length(), right.length()) : left.compareTo(right);
        }
    }
}
