package kiln.runtime.exec.cuda.program;

import java.util.Objects;
import kiln.runtime.base.AttentionKind;

/**
 * How attention is computed.
 *
 * @param sliceBytes of scores that slices may take, where there are slices; a slice that cannot be smaller takes more
 */
public record AttentionChoice(AttentionKind kind, long sliceBytes) {
    /** Never a matrix of scores: the variant follows from card and shape. */
    public static final AttentionChoice USUAL = new AttentionChoice(AttentionKind.AUTO, 0);

    /** Of free memory, what slices take. */
    private static final int FREE_PARTS = 8;

    public AttentionChoice {
        Objects.requireNonNull(kind, "kind");
        if (sliceBytes < 0) {
            throw new IllegalArgumentException(sliceBytes + " bytes for slices");
        }
    }

    /** Slices sized by the memory that may be used. */
    public static AttentionChoice of(AttentionKind kind, long freeBytes) {
        return new AttentionChoice(kind, freeBytes / FREE_PARTS);
    }
}
