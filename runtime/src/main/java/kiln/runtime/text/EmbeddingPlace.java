package kiln.runtime.text;

/**
 * An embedding (textual inversion) among a chunk's tokens: its vectors take the place of what the text encoder's table gives for the
 * token ids there, before positions are added.
 *
 * @param position of its first vector among the chunk's {@link TokenChunk#LENGTH} ids, at least 1
 * @param name as the vocabulary has it
 * @param vectors how many places it takes, one after another
 */
public record EmbeddingPlace(int position, String name, int vectors) {
    public EmbeddingPlace {
        if (position < 1 || vectors < 1 || position + vectors > TokenChunk.LENGTH) {
            throw new IllegalArgumentException("embedding " + name + ": " + vectors + " vectors from place " + position);
        }
    }
}
