package kiln.runtime.family.sd2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.family.ModelSource;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.KeptPictures;
import kiln.runtime.model.ClipText;
import kiln.runtime.model.Model;
import kiln.runtime.model.ModelFamily;
import kiln.runtime.pipeline.Drawing;
import kiln.runtime.pipeline.ModelSession;
import kiln.runtime.sampling.Prediction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a second family costs: one package, and nothing else of the way from a file to a picture. */
class SecondFamilyTest {
    private static final List<ModelFamily> FAMILIES = List.of(StableDiffusion2.FAMILY);

    @TempDir
    static Path folder;

    private static Path checkpoint;

    @BeforeAll
    static void write() throws IOException {
        checkpoint = Miniature.write(folder, 5);
    }

    @Test
    void itsOwnNamesAndPackedRowsAreFound() {
        try (ModelFiles files = ModelFiles.open(ModelSource.of(checkpoint), FAMILIES)) {
            Model model = files.model();
            assertThat(model.prediction()).isEqualTo(Prediction.V);
            assertThat(model.denoiser().contextWidth()).isEqualTo(1024);
            FloatBuffer keys = FloatBuffer.allocate(1024 * 1024);
            files.read(ClipText.PREFIX + "encoder.layers.1.self_attn.k_proj.weight", keys);
            FloatBuffer range = FloatBuffer.allocate(1000);
            files.readRange(ClipText.PREFIX + "encoder.layers.1.self_attn.k_proj.weight", 5000, range);
            assertThat(keys.remaining()).isZero();
            assertThat(range.array()).containsExactly(Arrays.copyOfRange(keys.array(), 5000, 6000));
            FloatBuffer queries = FloatBuffer.allocate(1024 * 1024);
            files.read(ClipText.PREFIX + "encoder.layers.1.self_attn.q_proj.weight", queries);
            assertThat(queries.array()).isNotEqualTo(keys.array());
        }
    }

    @Test
    void aPictureIsDrawnOnTheSameWay() {
        GenerationRequest request = GenerationRequest.builder()
                .model(checkpoint).prompt("a house").width(32).height(16).steps(2).sampler("DDIM").seed(3).build();
        KeptPictures kept = new KeptPictures();
        ModelFiles files = ModelFiles.open(ModelSource.of(checkpoint), FAMILIES);
        try (ModelSession session = new ModelSession(files, ReferenceExecutor::new)) {
            new Drawing(session, request, kept, () -> false, event -> {}).run();
        }
        for (float value : kept.latents().get(0)) {
            assertThat(value).isFinite();
        }
        assertThat(kept.pictures()).singleElement().satisfies(picture -> {
            assertThat(picture.width()).isEqualTo(32);
            assertThat(picture.height()).isEqualTo(16);
        });
    }
}
