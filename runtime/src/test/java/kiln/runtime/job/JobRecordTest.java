package kiln.runtime.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.image.LatentImage;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.JobRecord.State;
import org.junit.jupiter.api.Test;

class JobRecordTest {
    private static final GenerationRequest REQUEST = GenerationRequest.builder().prompt("a house").clipSkip(2).eta(0.5)
            .set(Setting.SGM_NOISE_MULTIPLIER, true).hires(HiresPass.usual()).build();
    private static final LatentImage LATENT = new LatentImage(new float[] {0.5f, -1}, 1, 2, new float[][] {{1, 0, 0}, {0, 0.5f, 0}});
    private static final GenerationEvent.Progress PROGRESS =
            new GenerationEvent.Progress(0.25, GenerationEvent.Phase.DENOISING, 5, 20, 3.5, 9, 0, 1);
    private static final GeneratedPicture PICTURE =
            new GeneratedPicture(0, 7, new Picture(1, 1, new byte[] {1, 2, 3}), "a house\nSteps: 20", Path.of("/out/0.png"));
    private static final List<GenerationEvent> EVENTS = List.of(
            new GenerationEvent.Loading("reading x", 0.5),
            new GenerationEvent.Notice("less memory"),
            new GenerationEvent.Device(new DeviceUse("card", "resident", 1, 2, 3, 4, 5)),
            new GenerationEvent.Started(REQUEST.toBuilder().seed(7).model(Path.of("/m/x.ckpt")).build()),
            PROGRESS,
            new GenerationEvent.Preview(5, 20, 0, LATENT),
            new GenerationEvent.PictureDone(PICTURE),
            new GenerationEvent.Finished(2.5),
            new GenerationEvent.Cancelled(),
            GenerationEvent.Failed.of(new KilnException(Category.DEVICE, "the card is gone")),
            new GenerationEvent.GridDone(Path.of("/out/grid-0000.png")));

    /** How a protocol tells them apart is its own business; the events themselves need nothing. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.CLASS)
    private interface WithItsType {}

    @Test
    void aJobIsWhatItsEventsTold() {
        JobRecord job = JobRecord.queued(3, REQUEST);
        assertThat(job.state()).isEqualTo(State.QUEUED);
        job = job.after(EVENTS.get(0)).after(EVENTS.get(1)).after(EVENTS.get(1)).after(EVENTS.get(3)).after(PROGRESS).after(EVENTS.get(5));
        assertThat(job.state()).isEqualTo(State.RUNNING);
        assertThat(job.loading()).isNull();
        assertThat(job.request().seed()).isEqualTo(7);
        assertThat(job.notices()).containsExactly("less memory");
        assertThat(job.preview()).isSameAs(LATENT);
        job = job.after(EVENTS.get(6)).after(EVENTS.get(7));
        assertThat(job.state()).isEqualTo(State.DONE);
        assertThat(job.preview()).isNull();
        assertThat(job.progress()).isNull();
        assertThat(job.pictures()).containsExactly(PICTURE);
        assertThat(job.stepsPerSecond()).isEqualTo(3.5);
        assertThat(job.withoutPictures().pictures()).isEmpty();
        assertThat(JobRecord.queued(4, REQUEST).after(EVENTS.get(9)).error()).isEqualTo("the card is gone");
    }

    @Test
    void everyEventCanBeWrittenAndReadBack() throws JsonProcessingException {
        List<String> kinds = EVENTS.stream().map(event -> event.getClass().getName()).toList();
        assertThat(kinds).as("one of each kind").containsAll(
                Arrays.stream(GenerationEvent.class.getPermittedSubclasses()).map(Class::getName).toList());
        ObjectMapper json = new ObjectMapper().addMixIn(GenerationEvent.class, WithItsType.class);
        for (GenerationEvent event : EVENTS) {
            String written = json.writeValueAsString(event);
            GenerationEvent read = json.readValue(written, GenerationEvent.class);
            assertThat(json.writeValueAsString(read)).isEqualTo(written);
            assertThat(read).usingRecursiveComparison().isEqualTo(event);
        }
    }

    @Test
    void aJobCanBeWrittenAndReadBack() throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();
        JobRecord job = Stream.concat(Stream.of(EVENTS.get(3), PROGRESS), Stream.of(EVENTS.get(5), EVENTS.get(6)))
                .reduce(JobRecord.queued(1, REQUEST), JobRecord::after, (a, b) -> b);
        assertThat(json.readValue(json.writeValueAsString(job), JobRecord.class)).usingRecursiveComparison().isEqualTo(job);
    }
}
