package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.model.TextEncoder;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.Emphasis;
import kiln.runtime.text.Prompt;
import kiln.runtime.text.PromptChunks;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.TokenChunk;

/**
 * From a prompt to what the denoiser reads: each chunk of each text of its schedules through each of the model's encoders, whose results stand
 * side by side.
 */
final class Conditioner {
    private final ModelSession session;
    private final List<NetworkShape> encoders;
    private final PromptOptions options;
    private final ProgressTracker progress;
    private final ClipTokenizer tokenizer = ClipTokenizer.load();
    private final int width;

    /** @param encoders of {@link PictureNetworks#text} */
    Conditioner(ModelSession session, List<NetworkShape> encoders, PromptOptions options, ProgressTracker progress) {
        this.session = session;
        this.encoders = encoders;
        this.options = options;
        this.progress = progress;
        width = session.model().encoders().stream().mapToInt(TextEncoder::width).sum();
    }

    /**
     * A prompt cut into chunks, before anything is computed.
     *
     * @param parts for each part of the prompt, each text of its schedule with its chunks; within a part all have as many
     */
    record Chunked(Prompt prompt, List<Map<String, PromptChunks>> parts) {
        /** How many tokens its longest part takes, padding included. */
        int tokens() {
            return parts.stream().mapToInt(Chunked::chunks).max().orElseThrow() * TokenChunk.LENGTH;
        }

        private static int chunks(Map<String, PromptChunks> part) {
            return part.values().iterator().next().chunks().size();
        }
    }

    Chunked chunk(Prompt prompt) {
        List<Map<String, PromptChunks>> parts = new ArrayList<>();
        for (Prompt.Part part : prompt.parts()) {
            List<String> texts = part.schedule().texts();
            List<PromptChunks> chunks = PromptChunks.ofSchedule(tokenizer, part.schedule(), options);
            Map<String, PromptChunks> byText = new HashMap<>();
            for (int i = 0; i < texts.size(); i++) {
                byText.put(texts.get(i), chunks.get(i));
            }
            parts.add(byText);
        }
        return new Chunked(prompt, parts);
    }

    /** All parts as long as the longest. */
    Conditioning encode(Chunked prompt) {
        List<Conditioning.Part> parts = new ArrayList<>();
        for (int i = 0; i < prompt.parts.size(); i++) {
            Prompt.Part part = prompt.prompt.parts().get(i);
            Map<String, float[]> byText = encode(part.schedule().texts(), prompt.parts.get(i));
            byText.replaceAll((text, context) -> Conditioning.repeatingLast(context, prompt.tokens(), width));
            parts.add(new Conditioning.Part(part.weight(), part.schedule(), byText));
        }
        return new Conditioning(parts, prompt.tokens());
    }

    /** A prompt without a word, {@code [tokens, width]}. */
    float[] encodeEmpty() {
        Map<String, PromptChunks> empty = Map.of("", PromptChunks.parse(tokenizer, "", options));
        return encode(List.of(""), empty).get("");
    }

    private Map<String, float[]> encode(List<String> texts, Map<String, PromptChunks> distinct) {
        List<String> order = List.copyOf(distinct.keySet());
        int[] times = order.stream().mapToInt(text -> (int) texts.stream().filter(text::equals).count()).toArray();
        int count = Chunked.chunks(distinct);
        Map<String, float[]> contexts = new HashMap<>();
        order.forEach(text -> contexts.put(text, new float[count * TokenChunk.LENGTH * width]));
        int firstChannel = 0;
        for (int e = 0; e < encoders.size(); e++) {
            int channels = session.model().encoders().get(e).width();
            for (int chunk = 0; chunk < count; chunk++) {
                int n = chunk;
                List<TokenChunk> together = order.stream().map(text -> distinct.get(text).chunks().get(n)).toList();
                List<float[]> encoded = encode(encoders.get(e), together, times);
                for (int i = 0; i < encoded.size(); i++) {
                    place(encoded.get(i), channels, contexts.get(order.get(i)), chunk, firstChannel);
                }
            }
            firstChannel += channels;
        }
        return contexts;
    }

    /** The n-th chunks of all texts of a schedule: their emphasis shares its mean. */
    private List<float[]> encode(NetworkShape shape, List<TokenChunk> chunks, int[] times) {
        ModelSession.Network encoder = session.network(shape);
        List<float[]> encoded = new ArrayList<>();
        for (TokenChunk chunk : chunks) {
            encoded.add(encoder.run(Map.of("tokens", session.ids(shape, chunk)), progress).get("context"));
            progress.networkDone(encoder.flops());
        }
        Emphasis.apply(encoded, chunks.stream().map(TokenChunk::weights).toList(), times, options.emphasis());
        return encoded;
    }

    private void place(float[] encoded, int channels, float[] context, int chunk, int firstChannel) {
        for (int token = 0; token < TokenChunk.LENGTH; token++) {
            int to = (chunk * TokenChunk.LENGTH + token) * width + firstChannel;
            System.arraycopy(encoded, token * channels, context, to, channels);
        }
    }
}
