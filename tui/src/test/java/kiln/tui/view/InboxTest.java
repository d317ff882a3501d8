package kiln.tui.view;

import static org.assertj.core.api.Assertions.assertThat;

import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.Phase;
import org.junit.jupiter.api.Test;

class InboxTest {
    private static Message progress(long job, int step) {
        return new Message.Job(job, new GenerationEvent.Progress(0, Phase.DENOISING, step, 20, 0, -1, 0, 1));
    }

    private static Message preview(long job, int step) {
        return new Message.Result.Preview(job, 0, new Picture(1, 1, new byte[] {(byte) step, 0, 0}));
    }

    @Test
    void onlyTheLatestProgressAndPreviewWait() throws InterruptedException {
        Inbox inbox = new Inbox();
        Message finished = new Message.Job(1, new GenerationEvent.Finished(1));
        Message cancelled = new Message.Job(2, new GenerationEvent.Cancelled());
        Message last = progress(1, 9);
        Message lastPreview = preview(1, 8);
        Message other = progress(3, 1);
        inbox.post(progress(1, 1));
        inbox.post(preview(1, 1));
        inbox.post(other);
        inbox.post(progress(1, 2));
        inbox.post(lastPreview);
        inbox.post(last);
        inbox.post(finished);
        inbox.post(cancelled);
        assertThat(inbox.take(0)).containsExactly(other, lastPreview, last, finished, cancelled);
        assertThat(inbox.take(0)).isEmpty();
    }
}
