package kiln.tui.view;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The prompts of earlier runs: a line each, with line ends written as {@code \n} and backslashes doubled. */
final class PromptFile {
    private static final int MAX_LINES = 1000;

    private final Path file;

    PromptFile(Path folder) {
        file = folder.resolve("prompts");
    }

    /** Oldest first; empty when there is no file that can be read. */
    List<String> load() {
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return List.of();
        }
        List<String> prompts = new ArrayList<>();
        for (String line : lines.subList(Math.max(0, lines.size() - MAX_LINES), lines.size())) {
            prompts.add(unescape(line));
        }
        return prompts;
    }

    void append(String prompt) throws IOException {
        Files.createDirectories(file.getParent());
        String line = prompt.replace("\\", "\\\\").replace("\n", "\\n") + "\n";
        Files.writeString(file, line, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String unescape(String line) {
        StringBuilder text = new StringBuilder(line.length());
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < line.length()) {
                i++;
                text.append(line.charAt(i) == 'n' ? '\n' : line.charAt(i));
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }
}
