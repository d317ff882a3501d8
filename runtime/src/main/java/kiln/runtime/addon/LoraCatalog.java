package kiln.runtime.addon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.NearestName;
import kiln.runtime.family.ModelSource;

/** Files of LoRA and its relatives in folders, by name, alias or hash. Every call looks anew. Safe from any thread. */
public final class LoraCatalog {
    /** No folder. */
    public static final LoraCatalog EMPTY = new LoraCatalog(List.of());

    private static final List<String> ENDINGS = List.of(".safetensors", ".pt", ".ckpt");
    private static final int DEEPEST = 16;
    /** So many digits of a hash name a file. */
    private static final int LEAST_DIGITS = 8;
    /** As A1111: too common to be an alias. */
    private static final List<String> NO_ALIAS = List.of("none", "addams");

    private final List<Path> folders;
    private final Map<String, String> aliases = new HashMap<>();

    /** @param folders searched with all below them; they need not exist */
    public LoraCatalog(List<Path> folders) {
        this.folders = List.copyOf(folders);
    }

    /** All such files, by name. */
    public List<Path> list() {
        return files(folders, ENDINGS);
    }

    static List<Path> files(List<Path> folders, List<String> endings) {
        List<Path> files = new ArrayList<>();
        for (Path folder : folders) {
            try (Stream<Path> below = Files.walk(folder, DEEPEST, FileVisitOption.FOLLOW_LINKS)) {
                below.filter(file -> endings.stream().anyMatch(file.getFileName().toString().toLowerCase(Locale.ROOT)::endsWith))
                        .filter(Files::isRegularFile)
                        .forEach(files::add);
            } catch (IOException | UncheckedIOException e) {
                // A folder that is not there or cannot be read holds nothing.
            }
        }
        files.sort(Comparator.comparing((Path file) -> stem(file).toLowerCase(Locale.ROOT)).thenComparing(Path::toString));
        return files.stream().distinct().toList();
    }

    /** A file's name without folder and ending: what prompts call it. */
    public static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /**
     * The file that a prompt means: by its name, else its alias where only one has it, else the beginning of its hash.
     *
     * @param hashes computes or knows a file's hash
     * @throws KilnException NOT_FOUND when there is none
     */
    public Path find(String name, Function<Path, String> hashes) {
        List<Path> files = list();
        return first(files, file -> stem(file).equals(name))
                .or(() -> first(files, file -> stem(file).equalsIgnoreCase(name)))
                .or(() -> byAlias(files, name))
                .or(() -> isHash(name) ? first(files, file -> hasHash(file, name.toLowerCase(Locale.ROOT), hashes)) : Optional.empty())
                .orElseThrow(() -> notFound(name, files));
    }

    private static Optional<Path> first(List<Path> files, Predicate<Path> wanted) {
        return files.stream().filter(wanted).findFirst();
    }

    private static boolean hasHash(Path file, String wanted, Function<Path, String> hashes) {
        try {
            String hash = hashes.apply(file);
            // Pictures' parameters have 12 digits, others may have all.
            return hash.startsWith(wanted) || wanted.startsWith(hash);
        } catch (KilnException e) {
            return false;
        }
    }

    private static boolean isHash(String name) {
        return name.length() >= LEAST_DIGITS && name.toLowerCase(Locale.ROOT).chars().allMatch(c -> "0123456789abcdef".indexOf(c) >= 0);
    }

    private Optional<Path> byAlias(List<Path> files, String name) {
        if (NO_ALIAS.contains(name.toLowerCase(Locale.ROOT))) {
            return Optional.empty();
        }
        List<Path> found = files.stream().filter(file -> alias(file).equals(name)).toList();
        return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
    }

    /** What whoever trained it called it; empty where that is not told. */
    private synchronized String alias(Path file) {
        return aliases.computeIfAbsent(ModelSource.identityOf(file), key -> {
            try (LoraFile lora = LoraFile.open(file)) {
                return lora.metadata().getOrDefault("ss_output_name", "");
            } catch (KilnException e) {
                // What is wrong with it is told when it is asked for by name.
                return "";
            }
        });
    }

    private KilnException notFound(String name, List<Path> files) {
        String where = folders.isEmpty() ? "no folder" : String.join(", ", folders.stream().map(Path::toString).toList());
        return new KilnException(
                Category.NOT_FOUND,
                "no LoRA is called \"" + name + "\" in " + where + NearestName.hint(name, files.stream().map(LoraCatalog::stem).toList()));
    }
}
