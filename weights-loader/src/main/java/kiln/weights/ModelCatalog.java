package kiln.weights;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The checkpoints in some folders and files, by name. A scan reads no file; hashes come from {@link ModelHashes}. Immutable, for
 * any number of threads; scan again to see changes.
 */
public final class ModelCatalog {
    private static final int MAX_DEPTH = 32;
    private static final Pattern TRAILING_HASH = Pattern.compile("\\s*\\[[^\\]]*]\\s*$");
    private static final Pattern LEGACY_HASH = Pattern.compile("[0-9a-f]{8}");

    private final List<Model> models;
    private final ModelHashes hashes;

    private ModelCatalog(List<Model> models, ModelHashes hashes) {
        this.models = List.copyOf(models);
        this.hashes = hashes;
    }

    /**
     * A checkpoint file.
     *
     * @param name its path below the scanned folder, with {@code /} between the parts; for a file given by itself, its file name
     */
    public record Model(Path path, String name, long bytes) {
        public Model {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(name, "name");
        }

        /** The file name without folder and extension. */
        public String stem() {
            String fileName = name.substring(name.lastIndexOf('/') + 1);
            int dot = fileName.lastIndexOf('.');
            return dot <= 0 ? fileName : fileName.substring(0, dot);
        }
    }

    /**
     * Looks for {@code *.ckpt} and {@code *.safetensors} in folders and all below them, links followed, and takes files as they
     * are given. VAE files ({@code *.vae.*}) are left out; folders that are missing or unreadable are passed over; a file that is
     * reachable by several ways is listed once.
     */
    public static ModelCatalog scan(List<Path> filesAndFolders, ModelHashes hashes) {
        Scan scan = new Scan();
        filesAndFolders.forEach(scan::add);
        return new ModelCatalog(scan.distinct(), hashes);
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
     * the older 8); else the shortest title that contains the text; else the same for the text without a trailing
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
        if (text.equals(model.name()) || text.equals(fileName) || text.equals(model.stem())
                || text.equals(model.path().toString())) {
            return true;
        }
        Optional<String> sha256 = hashes.cachedSha256(model.path());
        if (sha256.isEmpty()) {
            return false;
        }
        String shortHash = ModelHashes.shortHash(sha256.get());
        String lowerCase = text.toLowerCase(Locale.ROOT);
        return lowerCase.equals(shortHash) || lowerCase.equals(sha256.get())
                || text.equals(model.name() + " [" + shortHash + "]") || text.equals(model.stem() + " [" + shortHash + "]");
    }

    /** These read 64 KiB a file, so only a text that looks like one is worth it. */
    private Optional<Model> byLegacyHash(String text) {
        String lowerCase = text.toLowerCase(Locale.ROOT);
        if (!LEGACY_HASH.matcher(lowerCase).matches()) {
            return Optional.empty();
        }
        return models.stream().filter(model -> {
            try {
                return ModelHashes.legacyHash(model.path()).equals(lowerCase);
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
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        boolean vae = name.endsWith(".vae.ckpt") || name.endsWith(".vae.safetensors");
        return (name.endsWith(".ckpt") || name.endsWith(".safetensors")) && !vae;
    }

    private static final class Scan {
        private final List<Model> models = new ArrayList<>();
        private final Set<Object> seenFolders = new HashSet<>();

        void add(Path fileOrFolder) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(fileOrFolder, BasicFileAttributes.class);
                if (attributes.isDirectory()) {
                    walk(fileOrFolder);
                } else if (attributes.isRegularFile()) {
                    models.add(new Model(fileOrFolder, fileOrFolder.getFileName().toString(), attributes.size()));
                }
            } catch (IOException e) {
                // Passed over: what is not there offers no models.
            }
        }

        private void walk(Path root) throws IOException {
            Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), MAX_DEPTH, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                    // Links could lead to a folder again and again, by more ways than can be walked.
                    Object key = attributes.fileKey() == null ? folder.toRealPath() : attributes.fileKey();
                    return seenFolders.add(key) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile() && isCheckpoint(file)) {
                        String name = root.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
                        models.add(new Model(file, name, attributes.size()));
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
            });
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
