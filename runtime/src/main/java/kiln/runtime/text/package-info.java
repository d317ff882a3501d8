/**
 * From what a person types to what the text encoder reads: prompt grammar, CLIP's tokens, chunks of 75, weights.
 *
 * <p>{@link kiln.runtime.text.Prompt} reads a whole prompt in A1111's order, each step leaving plainer text to the next: comments, extra
 * networks, AND, schedules. {@link kiln.runtime.text.PromptChunks} then makes chunks of token ids with a weight for each of a schedule's
 * texts, whose attention grammar {@link kiln.runtime.text.PromptParser} reads, and {@link kiln.runtime.text.Emphasis} applies those
 * weights to the encoder's output.
 */
package kiln.runtime.text;
