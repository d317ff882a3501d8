package kiln.runtime.text;

/**
 * How long a prompt is, as the web UI counts.
 *
 * @param used places of all chunks but the last, and the last one's tokens
 * @param allowed how many fit without another chunk
 */
public record PromptCount(int used, int allowed) {
    static PromptCount of(int used) {
        return new PromptCount(used, Math.max(1, (used + TokenChunk.CAPACITY - 1) / TokenChunk.CAPACITY) * TokenChunk.CAPACITY);
    }

    /** "9/75". */
    @Override
    public String toString() {
        return used + "/" + allowed;
    }
}
