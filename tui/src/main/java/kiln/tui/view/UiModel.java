package kiln.tui.view;

import java.nio.file.Path;
import java.util.Objects;

/** A checkpoint that can be chosen. */
public record UiModel(Path path, String title, boolean demo) {
    public UiModel {
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(title, "title");
    }
}
