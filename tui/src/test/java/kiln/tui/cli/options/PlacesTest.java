package kiln.tui.cli.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.tui.cli.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacesTest {
    @TempDir
    private Path folder;

    private final List<String> notices = new ArrayList<>();

    private Places places(Run.Setup setup, PlaceOptions options) {
        return Places.of(options, setup.context(new PrintStream(System.out), new PrintStream(System.err)), notices::add);
    }

    @Test
    void followsTheXdgFoldersAndTheirDefaults() {
        Places places = places(Run.in(folder).variable("XDG_DATA_HOME", "/d").variable("XDG_STATE_HOME", "relative"), new PlaceOptions());
        assertThat(places.data()).isEqualTo(Path.of("/d/kiln"));
        assertThat(places.state()).as("relative paths are invalid by the specification").isEqualTo(folder.resolve(".local/state/kiln"));
        assertThat(places.config()).isEqualTo(folder.resolve(".config/kiln"));
        assertThat(places.cache()).isEqualTo(Run.CACHE.resolve("kiln"));
        assertThat(places.outputs()).isEqualTo(Path.of("/d/kiln/outputs"));
        assertThat(places.checkpointFolders()).containsExactly(Path.of("/d/kiln/models/Stable-diffusion"));
        assertThat(places.demoModel()).isNull();
    }

    @Test
    void variablesGoBeforeXdgAndOptionsBeforeVariables() {
        Run.Setup setup = Run.in(folder)
                .variable("XDG_DATA_HOME", "/d")
                .variable("KILN_DATA_DIR", "/k")
                .variable("KILN_CKPT_DIR", "/more")
                .variable("KILN_OUTPUT_DIR", "/out")
                .variable("KILN_MODELS_DIR", "/m");
        Places places = places(setup, new PlaceOptions());
        assertThat(places.data()).isEqualTo(Path.of("/k"));
        assertThat(places.outputs()).isEqualTo(Path.of("/out"));
        assertThat(places.checkpointFolders()).containsExactly(Path.of("/m/Stable-diffusion"), Path.of("/more"));

        PlaceOptions options = new PlaceOptions();
        options.dataFolder = Path.of("/option");
        options.modelsFolder = Path.of("/models/x/..");
        options.checkpointFolder = Path.of("/here");
        options.outputFolder = Path.of("pictures");
        Places optioned = places(setup, options);
        assertThat(optioned.data()).isEqualTo(Path.of("/option"));
        assertThat(optioned.models()).isEqualTo(Path.of("/models"));
        assertThat(optioned.checkpointFolders()).containsExactly(Path.of("/models/Stable-diffusion"), Path.of("/here"));
        assertThat(optioned.outputs()).isEqualTo(Path.of("pictures").toAbsolutePath());
    }

    @Test
    void theDemoModelIsFoundUnderKilnsOwnFolder() {
        assertThat(places(Run.in(folder).demo(), new PlaceOptions()).demoModel()).isRegularFile().hasFileName("kiln-demo.safetensors");
    }
}
