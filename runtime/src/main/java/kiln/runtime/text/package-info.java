/**
 * From what a person types to what the text encoder reads: prompt grammar, CLIP's tokens, chunks of 75, weights.
 *
 * <p>{@link kiln.runtime.text.PromptParser} turns a prompt into weighted pieces, {@link kiln.runtime.text.PromptChunks} into chunks of
 * token ids with a weight for each, and {@link kiln.runtime.text.Emphasis} applies those weights to the encoder's output. What comes
 * before the weights in A1111's order (comments, extra networks, AND, schedules) belongs in front of
 * {@link kiln.runtime.text.PromptParser#attention}, each as a step that leaves plainer text to the next.
 */
package kiln.runtime.text;
