package kiln.runtime.store;

import java.time.ZonedDateTime;
import java.util.Objects;
import kiln.runtime.image.Picture;
import kiln.runtime.job.InfoText;

/**
 * What a picture's name can tell.
 *
 * @param index which of its job's pictures, from 0
 * @param batchSize pictures computed together
 * @param pictures of the job
 * @param firstSeed of the job's first picture
 * @param image {@code null} while there is none: a latent's name
 * @param begun when the job began
 * @param now when the picture is saved
 */
record NameFacts(
        InfoText text, int index, int batchSize, int pictures, long firstSeed, Picture image, ZonedDateTime begun, ZonedDateTime now) {
    NameFacts {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(begun, "begun");
        Objects.requireNonNull(now, "now");
    }
}
