package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kiln.runtime.addon.AddOns;
import kiln.runtime.addon.TensorFile;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.model.ClipText;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.TokenChunk;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Textual inversions in prompts of the demo model. */
class PromptEmbeddingsTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");
    private static final int WIDTH = 64;
    private static final String TABLE = ClipText.PREFIX + "embeddings.token_embedding.weight";

    @TempDir
    Path folder;

    private ModelSession session;

    @BeforeEach
    void open() {
        session = new ModelSession(ModelFiles.open(DEMO), ReferenceExecutor::new, AddOns.of(List.of(), List.of(folder)));
    }

    @AfterEach
    void close() {
        session.close();
    }

    private List<TokenChunk> chunks(String prompt) {
        return PromptChunks.parse(ClipTokenizer.load(), prompt, session.withEmbeddings(PromptOptions.DEFAULT)).chunks();
    }

    private float[] encoded(String prompt) {
        NetworkShape encoder = NetworkShape.text(session.model().encoders().get(0), 1);
        return session.network(encoder).run(Map.of("tokens", session.ids(encoder, chunks(prompt).get(0))), flops -> {}).get("context");
    }

    private float[] vectorsOf(String words) {
        int[] ids = ClipTokenizer.load().encode(words);
        float[] vectors = new float[ids.length * WIDTH];
        for (int i = 0; i < ids.length; i++) {
            session.files().readRange(TABLE, (long) ids[i] * WIDTH, FloatBuffer.wrap(vectors, i * WIDTH, WIDTH));
        }
        return vectors;
    }

    @Test
    void vectorsThatAreThoseOfWordsReadAsTheWords() throws IOException {
        float[] vectors = vectorsOf("red heart");
        new TensorFile().add("emb_params", vectors, vectors.length / WIDTH, WIDTH).write(folder.resolve("MyWord.safetensors"));
        assertThat(encoded("flat myword on blue")).isEqualTo(encoded("flat red heart on blue"));
    }

    @Test
    void anEmbeddingChangesTheTextAndTheBaseComesBack() throws IOException {
        float[] base = encoded("flat myword on blue");
        long seed = 20261128;
        System.out.println("seed " + seed);
        new TensorFile().random(new Random(seed), 0.3, "emb_params", 3, WIDTH).write(folder.resolve("myword.safetensors"));
        float[] changed = encoded("flat myword on blue");
        assertThat(changed).isNotEqualTo(base);
        assertThat(encoded("flat red heart")).isNotEqualTo(changed);
        assertThat(encoded("flat myword on blue")).isEqualTo(changed);
        // The very tokens whose rows the vectors took: they mean themselves.
        float[] ids = session.ids(NetworkShape.text(session.model().encoders().get(0), 1), chunks("flat myword on blue").get(0));
        int taken = (int) ids[2];
        assertThat(taken).isGreaterThan(49000);
        float[] row = new float[WIDTH];
        session.files().readRange(TABLE, (long) taken * WIDTH, FloatBuffer.wrap(row));
        int[] own = new int[TokenChunk.LENGTH];
        Arrays.fill(own, taken);
        float[] weights = new float[TokenChunk.LENGTH];
        Arrays.fill(weights, 1);
        NetworkShape encoder = NetworkShape.text(session.model().encoders().get(0), 1);
        TokenChunk chunk = new TokenChunk(own, weights, List.of());
        float[] seen = session.network(encoder).run(Map.of("tokens", session.ids(encoder, chunk)), flops -> {}).get("context");
        try (ModelSession fresh = new ModelSession(ModelFiles.open(DEMO), ReferenceExecutor::new)) {
            assertThat(seen).isEqualTo(fresh.network(encoder).run(Map.of("tokens", fresh.ids(encoder, chunk)), flops -> {}).get("context"));
        }
    }

    @Test
    void oneOfAnotherWidthStaysAWord() throws IOException {
        float[] base = encoded("flat myword on blue");
        new TensorFile().add("emb_params", new float[768], 1, 768).write(folder.resolve("myword.safetensors"));
        new TensorFile().add("a", new float[WIDTH], WIDTH).add("b", new float[WIDTH], WIDTH).write(folder.resolve("flat.safetensors"));
        Files.writeString(folder.resolve("blue.pt"), "no weights at all");
        assertThat(encoded("flat myword on blue")).isEqualTo(base);
    }
}
