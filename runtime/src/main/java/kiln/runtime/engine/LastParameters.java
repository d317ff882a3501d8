package kiln.runtime.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;

/**
 * The text of the first picture of the last job, in a file: A1111's {@code params.txt}, from which its paste button fills an empty page.
 * From any thread; a file that cannot be written is done without, as pictures matter more.
 *
 * @param file {@code null} keeps nothing
 */
public record LastParameters(Path file) {
    /** Two prompts of characters of up to four bytes each, and the parameters. */
    private static final int MOST_BYTES = 2 * 4 * GenerationRequest.MAX_PROMPT_CHARACTERS + (1 << 20);

    /** Events on their way to {@code listener}, of which the first picture's is kept. */
    public Consumer<GenerationEvent> keepFrom(Consumer<GenerationEvent> listener) {
        Objects.requireNonNull(listener, "listener");
        return event -> {
            if (file != null && event instanceof GenerationEvent.PictureDone done && done.picture().index() == 0) {
                write(done.picture().infoText());
            }
            listener.accept(event);
        };
    }

    private void write(String text) {
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), ".params", ".tmp");
            try {
                Files.writeString(temporary, text, StandardCharsets.UTF_8);
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            // The older text stays.
            return;
        }
    }

    /** The text; empty when there is none that can be read. */
    public Optional<String> read() {
        if (file == null) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Optional.of(new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
