package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which VAE A1111 would take. */
class VaesTest {
    @TempDir
    Path folder;

    private Path models;
    private Path model;

    @BeforeEach
    void make() throws IOException {
        models = Files.createDirectories(folder.resolve("Stable-diffusion/sub"));
        model = file(models.resolve("model.v1.ckpt"));
        file(models.resolve("model.v1.vae.pt"));
        file(folder.resolve("VAE/anime.pt"));
        file(folder.resolve("VAE/Sharp.vae.safetensors"));
    }

    private static Path file(Path path) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, "");
    }

    private Vaes vaes(Path file, boolean overrides) {
        ModelOptions options = new ModelOptions(file, List.of(folder.resolve("VAE")), overrides, null, true, List.of());
        return new Vaes(List.of(), List.of(folder.resolve("Stable-diffusion")), options);
    }

    /** The name that is chosen; {@code null} for the model's own. */
    private String chosen(Path checkpoint, String setting, boolean overrides) {
        Vaes.Choice choice = vaes(null, overrides).choose(checkpoint, setting);
        assertThat(choice.notice()).isNull();
        return choice.vae() == null ? null : choice.vae().name();
    }

    @Test
    void allAreListedByFileName() {
        assertThat(vaes(null, true).list()).extracting(Vaes.Entry::name).containsExactly("anime.pt", "model.v1.vae.pt", "Sharp.vae.safetensors");
    }

    @Test
    void automaticTakesTheFileOfTheModelsNameElseItsOwn() throws IOException {
        assertThat(chosen(model, "Automatic", true)).isEqualTo("model.v1.vae.pt");
        assertThat(chosen(file(models.resolve("other.ckpt")), "Automatic", true)).isNull();
        assertThat(chosen(model, "auto", true)).isEqualTo("model.v1.vae.pt");
    }

    @Test
    void theNameOfALongerModelCountsAsWellAsInA1111() throws IOException {
        assertThat(chosen(file(models.resolve("model.ckpt")), "Automatic", true)).isEqualTo("model.v1.vae.pt");
        assertThat(chosen(file(models.resolve("ani.safetensors")), "Automatic", true)).isEqualTo("anime.pt");
    }

    @Test
    void aNameGoesBeforeWhatTheModelAsksForUnlessToldOtherwise() throws IOException {
        assertThat(chosen(model, "anime.pt", true)).isEqualTo("anime.pt");
        assertThat(chosen(model, "None", true)).isNull();
        assertThat(chosen(model, "anime.pt", false)).isEqualTo("model.v1.vae.pt");
        assertThat(chosen(file(models.resolve("other.ckpt")), "anime.pt", false)).isEqualTo("anime.pt");
        assertThat(chosen(file(models.resolve("other.ckpt")), "None", false)).isNull();
    }

    @Test
    void notesOfAModelGoBeforeTheFileOfItsName() throws IOException {
        Path notes = models.resolve("model.v1.json");
        Files.writeString(notes, "{\"vae\": \"anime.pt\"}");
        assertThat(chosen(model, "Automatic", true)).isEqualTo("anime.pt");
        assertThat(chosen(model, "Sharp.vae.safetensors", true)).isEqualTo("Sharp.vae.safetensors");
        assertThat(chosen(model, "Sharp.vae.safetensors", false)).isEqualTo("anime.pt");
        Files.writeString(notes, "{\"vae\": \"None\"}");
        assertThat(chosen(model, "Automatic", true)).isNull();
        for (String silent : List.of("{\"vae\": \"Automatic\"}", "{\"vae\": \"lost.pt\"}", "{\"vae\": 3}", "no JSON", "[]")) {
            Files.writeString(notes, silent);
            assertThat(chosen(model, "Automatic", true)).as(silent).isEqualTo("model.v1.vae.pt");
        }
    }

    @Test
    void aFileThatIsNamedOnTheCommandLineGoesBeforeAll() throws IOException {
        Path named = file(folder.resolve("mine.bin"));
        for (String setting : List.of("Automatic", "None", "anime.pt", "lost")) {
            Vaes.Choice choice = vaes(named, true).choose(model, setting);
            assertThat(choice.path()).isEqualTo(named);
            assertThat(choice.notice()).isNull();
        }
    }

    @Test
    void aNameThatIsNotThereIsToldAndTheModelsOwnIsUsed() {
        Vaes.Choice choice = vaes(null, true).choose(model, "lost.pt");
        assertThat(choice.vae()).isNull();
        assertThat(choice.notice()).contains("lost.pt").contains("the model's own");
    }

    @Test
    void namesAreFoundWithoutTheirEndingsInAnyCase() {
        assertThat(chosen(model, "sharp", true)).isEqualTo("Sharp.vae.safetensors");
        assertThat(chosen(model, "ANIME.PT", true)).isEqualTo("anime.pt");
    }
}
