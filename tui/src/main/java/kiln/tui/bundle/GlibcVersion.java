package kiln.tui.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The oldest C library that programs run with, read from the version names in their symbol tables. */
final class GlibcVersion {
    private static final Pattern NAME = Pattern.compile("\0GLIBC_2\\.(\\d+)(?=\0)");

    private GlibcVersion() {}

    /** @return "2.34"; {@code null} when no file names a version */
    static String neededBy(List<Path> files) throws IOException {
        int newest = -1;
        for (Path file : files) {
            Matcher name = NAME.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            while (name.find()) {
                newest = Math.max(newest, Integer.parseInt(name.group(1)));
            }
        }
        return newest < 0 ? null : "2." + newest;
    }
}
