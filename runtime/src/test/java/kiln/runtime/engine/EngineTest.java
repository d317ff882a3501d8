package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.image.PngReader;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.JobRecord;
import kiln.runtime.job.Setting;
import kiln.weights.ModelHashes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors").toAbsolutePath();

    @TempDir
    Path folder;

    private EngineOptions options(Path... models) {
        return new EngineOptions(
                List.of(models), List.of(), DEMO, folder.resolve("outputs"), folder.resolve("cache"), "auto", Precision.AUTO, 0);
    }

    private static GenerationRequest.Builder quick() {
        return Models.presetsOf(DEMO).builder().prompt("flat red heart").steps(2).seed(3);
    }

    private List<Path> files() throws IOException {
        Path outputs = folder.resolve("outputs");
        if (!Files.exists(outputs)) {
            return List.of();
        }
        try (Stream<Path> walk = Files.walk(outputs)) {
            return walk.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void aRequestEndsAsAPictureWithItsParametersInside() throws IOException {
        List<GenerationEvent> events = Collections.synchronizedList(new ArrayList<>());
        GenerationEvent last;
        try (Engine engine = new Engine(options())) {
            last = engine.submit(quick().build(), events::add).await();
            assertThat(engine.device()).isNotEmpty();
        }
        assertThat(last).isInstanceOf(GenerationEvent.Finished.class);
        assertThat(events.get(events.size() - 1)).isSameAs(last);
        GenerationEvent.PictureDone done = (GenerationEvent.PictureDone)
                events.stream().filter(GenerationEvent.PictureDone.class::isInstance).findFirst().orElseThrow();
        // The latent that was saved before decoding is gone again.
        assertThat(files()).containsExactly(done.picture().file());
        InfoText text = InfoText.parse(PngReader.readTexts(done.picture().file()).get(InfoText.PNG_KEYWORD));
        assertThat(text.prompt()).isEqualTo("flat red heart");
        assertThat(text.parameters()).containsEntry("Seed", "3").containsEntry("Steps", "2").containsEntry("Model", "kiln-demo");
        assertThat(events.stream().filter(GenerationEvent.Preview.class::isInstance)).hasSize(2);
    }

    @Test
    void theSameRequestGivesTheSameFile() throws IOException {
        try (Engine engine = new Engine(options())) {
            engine.submit(quick().build(), event -> {}).await();
            engine.submit(quick().build(), event -> {}).await();
        }
        assertThat(files()).hasSize(2);
        assertThat(Files.readAllBytes(files().get(0))).isEqualTo(Files.readAllBytes(files().get(1)));
    }

    /** A device that tells what is put on it. */
    private record Watched(Device device, List<String> told) implements Device {
        @Override
        public Executor executor(WeightSource weights, Consumer<String> notices) {
            told.add("weights");
            return device.executor(weights, notices);
        }

        @Override
        public void close() {
            told.add("closed");
            device.close();
        }
    }

    @Test
    void theDeviceOutlivesAModelAndAFileThatWasReplacedIsReadAnew() throws IOException {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Path first = Files.copy(DEMO, folder.resolve("first.safetensors"));
        Path second = Files.copy(DEMO, folder.resolve("second.safetensors"));
        try (Engine engine = new Engine(options(), (options, notices) -> {
            told.add("opened");
            return new Watched(Devices.open(options, notices), told);
        })) {
            for (Path model : List.of(first, first, second)) {
                assertThat(engine.submit(quick().model(model).build(), event -> {}).await()).isInstanceOf(GenerationEvent.Finished.class);
            }
            assertThat(told).containsExactly("opened", "weights", "weights");
            Files.delete(second);
            Files.copy(DEMO, second);
            Files.setLastModifiedTime(second, FileTime.fromMillis(1));
            assertThat(engine.submit(quick().model(second).build(), event -> {}).await()).isInstanceOf(GenerationEvent.Finished.class);
        }
        assertThat(told).containsExactly("opened", "weights", "weights", "weights", "closed");
    }

    @Test
    void aDeviceThatFailedIsOpenedAnew() {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        try (Engine engine = new Engine(options(), (options, notices) -> {
            told.add("opened");
            if (told.size() == 1) {
                throw new KilnException(KilnException.Category.DEVICE, "the card has fallen off the bus");
            }
            return Devices.open(options, notices);
        })) {
            GenerationEvent failed = engine.submit(quick().build(), event -> {}).await();
            assertThat(((GenerationEvent.Failed) failed).message()).contains("fallen off the bus");
            assertThat(engine.submit(quick().build(), event -> {}).await()).isInstanceOf(GenerationEvent.Finished.class);
        }
        assertThat(told).hasSize(2);
    }

    @Test
    void theEngineRemembersItsJobs() {
        try (Engine engine = new Engine(options())) {
            GenerationJob job = engine.submit(quick().build(), event -> {});
            job.await();
            engine.submit(quick().model(folder.resolve("none.ckpt")).build(), event -> {}).await();
            assertThat(engine.jobs()).extracting(JobRecord::state).containsExactly(JobRecord.State.FAILED, JobRecord.State.DONE);
            JobRecord done = engine.jobs().get(1);
            assertThat(done.id()).isEqualTo(job.id());
            assertThat(done.pictures()).hasSize(1);
            assertThat(done.request().model()).isEqualTo(DEMO);
        }
    }

    @Test
    void aCancelledJobLeavesNoFileAndTheNextOneRuns() throws IOException {
        try (Engine engine = new Engine(options())) {
            AtomicReference<GenerationJob> job = new AtomicReference<>();
            Object submitted = new Object();
            synchronized (submitted) {
                job.set(engine.submit(quick().steps(500).build(), event -> {
                    if (event instanceof GenerationEvent.Preview) {
                        synchronized (submitted) {
                            job.get().cancel();
                        }
                    }
                }));
            }
            assertThat(job.get().await()).isInstanceOf(GenerationEvent.Cancelled.class);
            assertThat(files()).isEmpty();
            assertThat(engine.submit(quick().build(), event -> {}).await()).isInstanceOf(GenerationEvent.Finished.class);
            assertThat(engine.queueLength()).isZero();
        }
    }

    @Test
    void aModelThatIsMissingOrBrokenIsToldInOneLine() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.safetensors"), "this is not a model");
        try (Engine engine = new Engine(options())) {
            GenerationEvent missing = engine.submit(quick().model(folder.resolve("none.ckpt")).build(), event -> {}).await();
            assertThat(((GenerationEvent.Failed) missing).category()).isEqualTo(KilnException.Category.NOT_FOUND);
            GenerationEvent corrupt = engine.submit(quick().model(broken).build(), event -> {}).await();
            GenerationEvent.Failed error = (GenerationEvent.Failed) corrupt;
            assertThat(error.message()).contains("broken.safetensors").doesNotContain("\n");
            assertThat(engine.submit(quick().build(), event -> {}).await()).isInstanceOf(GenerationEvent.Finished.class);
        }
    }

    @Test
    void aClosedEngineSaysSo() {
        Engine engine = new Engine(options());
        engine.close();
        engine.close();
        assertThatThrownBy(() -> engine.submit(quick().build(), event -> {})).hasMessageContaining("closed");
    }

    @Test
    void anotherVaeGivesAnotherPictureAndIsNamedInIt() throws IOException {
        Path model = Files.copy(DEMO, folder.resolve("demo.safetensors"));
        // The whole checkpoint, with other numbers at its end, lends its autoencoder.
        byte[] bytes = Files.readAllBytes(DEMO);
        int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() + 8;
        Arrays.fill(bytes, header + (bytes.length - header) / 4, header + (bytes.length - header) / 2, (byte) 0);
        Path vae = Files.write(folder.resolve("other.vae.safetensors"), bytes);
        List<GenerationEvent.PictureDone> done = Collections.synchronizedList(new ArrayList<>());
        List<String> notices = Collections.synchronizedList(new ArrayList<>());
        try (Engine engine = new Engine(options(model))) {
            for (String name : List.of("Automatic", "other.vae.safetensors", "None", "lost")) {
                engine.submit(quick().set(Setting.VAE, name).build(), event -> {
                    if (event instanceof GenerationEvent.PictureDone picture) {
                        done.add(picture);
                    } else if (event instanceof GenerationEvent.Notice notice) {
                        notices.add(notice.text());
                    }
                }).await();
            }
        }
        List<byte[]> rgb = done.stream().map(picture -> picture.picture().image().rgb()).toList();
        assertThat(rgb.get(1)).isNotEqualTo(rgb.get(0));
        assertThat(rgb.get(2)).isEqualTo(rgb.get(0));
        assertThat(rgb.get(3)).isEqualTo(rgb.get(0));
        assertThat(notices).anySatisfy(notice -> assertThat(notice).contains("no VAE is called lost"));
        InfoText text = InfoText.parse(PngReader.readTexts(done.get(1).picture().file()).get(InfoText.PNG_KEYWORD));
        String hash = new ModelHashes(folder.resolve("cache")).sha256(vae).substring(0, 10);
        assertThat(text.parameters()).containsEntry("VAE", "other.vae.safetensors").containsEntry("VAE hash", hash);
        assertThat(done.get(0).picture().infoText()).doesNotContain("VAE");
    }
}
