package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastParametersTest {
    @TempDir
    private Path folder;

    private static GenerationEvent done(int index, String text) {
        return new GenerationEvent.PictureDone(
                new GenerationEvent.GeneratedPicture(index, 5, new Picture(1, 1, new byte[3]), text, null));
    }

    @Test
    void theFirstPicturesTextOfTheLastJobStays() throws IOException {
        Path file = folder.resolve("data/params.txt");
        List<GenerationEvent> heard = new ArrayList<>();
        Consumer<GenerationEvent> listener = new LastParameters(file).keepFrom(heard::add);
        assertThat(new LastParameters(file).read()).isEmpty();
        listener.accept(done(0, "käse\nSteps: 1"));
        listener.accept(done(1, "second"));
        listener.accept(new GenerationEvent.Finished(1));
        assertThat(heard).hasSize(3);
        assertThat(new LastParameters(file).read()).contains("käse\nSteps: 1");
        listener.accept(done(0, "the next job's"));
        assertThat(Files.readString(file)).isEqualTo("the next job's");
        assertThat(file.getParent()).isDirectoryNotContaining("glob:**.tmp");
    }

    @Test
    void nothingIsKeptWhereNobodyWantsItOrItCannotBe() throws IOException {
        List<GenerationEvent> heard = new ArrayList<>();
        new LastParameters(null).keepFrom(heard::add).accept(done(0, "x"));
        assertThat(new LastParameters(null).read()).isEmpty();
        Path file = Files.writeString(folder.resolve("a file"), "").resolve("params.txt");
        new LastParameters(file).keepFrom(heard::add).accept(done(0, "x"));
        assertThat(heard).hasSize(2);
    }
}
