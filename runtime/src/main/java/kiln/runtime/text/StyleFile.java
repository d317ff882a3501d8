package kiln.runtime.text;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;

/**
 * A1111's {@code styles.csv}: a first line {@code name,prompt,negative_prompt} (before 2022's end {@code name,text}), UTF-8, and a style on
 * each line after it. Lines whose name begins with "#" are remarks. Stateless.
 */
public final class StyleFile {
    /** Collections of some thousand styles have a few MB. */
    private static final int MOST_BYTES = 32 << 20;

    private static final String MARK = "\ufeff";
    private static final String HEADER = "name,prompt,negative_prompt";

    private StyleFile() {}

    /**
     * All styles of these files; those that are not there have none.
     *
     * @param files the last part of each may hold {@code *} and {@code ?}
     * @throws KilnException when one cannot be read or is no such file
     */
    public static Styles read(List<Path> files) {
        List<Style> styles = new ArrayList<>();
        files.forEach(file -> matching(file).forEach(found -> styles.addAll(read(found))));
        return new Styles(styles);
    }

    private static List<Path> matching(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        if (!name.contains("*") && !name.contains("?")) {
            return List.of(file);
        }
        Path folder = file.toAbsolutePath().getParent();
        String glob = name.replaceAll("([\\\\\\[\\]{}])", "\\\\$1");
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, glob)) {
            List<Path> files = new ArrayList<>();
            found.forEach(files::add);
            files.sort(null);
            return files;
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (DirectoryIteratorException | IOException e) {
            throw new KilnException(Category.STORAGE, folder + ": the folder of styles cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<Style> read(Path file) {
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw damaged(file, "it has more than " + (MOST_BYTES >> 20) + " MiB");
            }
            text = new String(bytes, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, file + ": the styles cannot be read: " + e.getMessage(), e);
        }
        List<List<String>> rows = CsvText.rows(text.startsWith(MARK) ? text.substring(MARK.length()) : text);
        if (rows.isEmpty()) {
            return List.of();
        }
        List<String> columns = rows.get(0);
        int name = columns.indexOf("name");
        int prompt = columns.contains("prompt") ? columns.indexOf("prompt") : columns.indexOf("text");
        if (name < 0 || prompt < 0) {
            throw damaged(file, "its first line is not " + HEADER);
        }
        int negative = columns.indexOf("negative_prompt");
        return rows.subList(1, rows.size()).stream()
                .filter(row -> !value(row, name).isEmpty() && !value(row, name).startsWith("#"))
                .map(row -> new Style(value(row, name), value(row, prompt), value(row, negative)))
                .toList();
    }

    private static String value(List<String> row, int column) {
        return column >= 0 && column < row.size() ? row.get(column) : "";
    }

    private static KilnException damaged(Path file, String found) {
        return new KilnException(Category.CORRUPT_FILE, file + ": not a file of styles: " + found);
    }

    /**
     * Writes all styles, as A1111 does, with a byte order mark for spreadsheets. What was there is kept beside it with ".bak" behind its
     * name. Remarks are not kept.
     *
     * @throws KilnException {@code STORAGE} when it cannot be written; the old file stays then
     */
    public static void save(Styles styles, Path file) {
        StringBuilder text = new StringBuilder(MARK).append(HEADER).append("\r\n");
        for (Style style : styles.all()) {
            text.append(CsvText.quote(style.name())).append(',').append(CsvText.quote(style.prompt())).append(',')
                    .append(CsvText.quote(style.negativePrompt())).append("\r\n");
        }
        try {
            Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
            Path temporary = Files.createTempFile(folder, ".styles", ".tmp");
            try {
                Files.writeString(temporary, text, StandardCharsets.UTF_8);
                if (Files.exists(file)) {
                    Files.copy(file, file.resolveSibling(file.getFileName() + ".bak"), StandardCopyOption.REPLACE_EXISTING);
                }
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, file + ": the styles cannot be saved: " + e.getMessage(), e);
        }
    }
}
