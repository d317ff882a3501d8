package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import kiln.runtime.addon.AddOns;
import kiln.runtime.addon.TensorFile;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.model.CheckpointShapes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA files named in prompts of the demo model: its weights change in place and come back to the bit. */
class AddedLorasTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");
    private static final long SEED = 20261128;

    @TempDir
    Path folder;

    private final List<String> notices = new ArrayList<>();
    private ModelSession session;

    @AfterEach
    void close() {
        if (session != null) {
            session.close();
        }
    }

    private void open(Function<WeightSource, Executor> executor) {
        session = new ModelSession(ModelFiles.open(DEMO), executor, AddOns.of(List.of(folder), List.of(folder)));
    }

    private void openOneDnn() {
        assumeTrue(OneDnn.unavailableBecause() == null, () -> "skipped: " + OneDnn.unavailableBecause());
        open(weights -> new OneDnnExecutor(weights, Precision.AUTO));
    }

    /** A LoRA of rank 4 for each matrix of attention and each inner layer, in kohya's names as far as diffusers has the same ones. */
    private TensorFile lora(long seed, double deviation) {
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        TensorFile file = new TensorFile();
        CheckpointShapes.DEMO.tensors().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(tensor -> {
            boolean denoiser = tensor.getKey().startsWith("model.diffusion_model.");
            boolean text = tensor.getKey().startsWith("cond_stage_model.transformer.text_model.encoder");
            if (tensor.getKey().endsWith(".weight") && tensor.getValue().size() == 2 && (denoiser || text)) {
                String name = tensor.getKey()
                        .replace("model.diffusion_model.", "lora_unet.")
                        .replace("cond_stage_model.transformer.", "lora_te.")
                        .replace(".weight", "")
                        .replace('.', '_');
                file.random(random, deviation, name + ".lora_up.weight", tensor.getValue().get(0), 4);
                file.random(random, deviation, name + ".lora_down.weight", 4, tensor.getValue().get(1));
                file.add(name + ".alpha", new float[] {4});
            }
        });
        return file;
    }

    private Picture draw(String prompt) {
        GenerationRequest request =
                session.defaults().builder().prompt(prompt).model(DEMO).steps(2).seed(3).width(64).height(64).build();
        Picture[] pictures = new Picture[1];
        PictureSink sink = new PictureSink() {
            @Override
            public void latent(int index, long seed, float[] latent, int height, int width) {}

            @Override
            public GeneratedPicture picture(int index, long seed, Picture image) {
                pictures[0] = image;
                return new GeneratedPicture(index, seed, image, "", null);
            }
        };
        new Drawing(session, request, sink, () -> false, event -> {
            if (event instanceof GenerationEvent.Notice notice) {
                notices.add(notice.text());
            }
        }).run();
        return pictures[0];
    }

    private void aLoraComesAndGoes() throws IOException {
        lora(SEED, 0.1).write(folder.resolve("style.safetensors"));
        byte[] base = draw("a red heart").rgb();
        byte[] changed = draw("a red heart<lora:style:0.8>").rgb();
        assertThat(changed).isNotEqualTo(base);
        assertThat(draw("a red heart<lora:style:0>").rgb()).isEqualTo(base);
        assertThat(draw("a red heart<lora:style:0.8>").rgb()).isEqualTo(changed);
        assertThat(draw("a red heart").rgb()).isEqualTo(base);
        assertThat(notices).isEmpty();
    }

    @Test
    void aLoraComesAndGoesOnTheReference() throws IOException {
        open(ReferenceExecutor::new);
        aLoraComesAndGoes();
    }

    @Test
    void aLoraComesAndGoesOnOneDnn() throws IOException {
        openOneDnn();
        aLoraComesAndGoes();
    }

    @Test
    void aLoraComesAndGoesWhereWeightsAreKeptIn16Bits() throws IOException {
        assumeTrue(OneDnn.unavailableBecause() == null, () -> "skipped: " + OneDnn.unavailableBecause());
        open(weights -> new OneDnnExecutor(weights, Precision.F32, true));
        aLoraComesAndGoes();
    }

    @Test
    void aFileThatIsNotThereIsNamedAndNothingIsDrawn() throws IOException {
        openOneDnn();
        lora(SEED, 0.1).write(folder.resolve("style.safetensors"));
        assertThatThrownBy(() -> draw("a red heart<lora:stile:1>"))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("\"stile\"")
                .hasMessageContaining("did you mean style?");
    }
}
