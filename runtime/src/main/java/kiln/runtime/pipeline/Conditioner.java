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

    /** How many tokens its longest part takes, padding included; nothing is computed. */
    static int tokens(Prompt prompt, PromptOptions options) {
        ClipTokenizer tokenizer = ClipTokenizer.load();
        int chunks = 0;
        for (Prompt.Part part : prompt.parts()) {
            chunks = Math.max(chunks, PromptChunks.ofSchedule(tokenizer, part.schedule(), options).get(0).chunks().size());
        }
        return chunks * TokenChunk.LENGTH;
    }

    /** @param tokens of {@link #tokens} or more */
    Conditioning encode(Prompt prompt, int tokens) {
        List<Conditioning.Part> parts = new ArrayList<>();
        for (Prompt.Part part : prompt.parts()) {
            Map<String, float[]> byText = encode(part);
            byText.replaceAll((text, context) -> Conditioning.lengthened(context, tokens, width));
            parts.add(new Conditioning.Part(part.weight(), part.schedule(), byText));
        }
        return new Conditioning(parts, tokens);
    }

    private Map<String, float[]> encode(Prompt.Part part) {
        List<String> texts = part.schedule().texts();
        List<PromptChunks> chunks = PromptChunks.ofSchedule(tokenizer, part.schedule(), options);
        Map<String, PromptChunks> distinct = new HashMap<>();
        for (int i = 0; i < texts.size(); i++) {
            distinct.put(texts.get(i), chunks.get(i));
        }
        List<String> order = List.copyOf(distinct.keySet());
        int[] times = order.stream().mapToInt(text -> (int) texts.stream().filter(text::equals).count()).toArray();
        int count = chunks.get(0).chunks().size();
        Map<String, float[]> contexts = new HashMap<>();
        order.forEach(text -> contexts.put(text, new float[count * TokenChunk.LENGTH * width]));
        int firstChannel = 0;
        for (int e = 0; e < encoders.size(); e++) {
            int channels = session.model().encoders().get(e).width();
            for (int chunk = 0; chunk < count; chunk++) {
                int n = chunk;
                List<TokenChunk> together = order.stream().map(text -> distinct.get(text).chunks().get(n)).toList();
                List<float[]> encoded = encode(session.network(encoders.get(e)), together, times);
                for (int i = 0; i < encoded.size(); i++) {
                    place(encoded.get(i), channels, contexts.get(order.get(i)), chunk, firstChannel);
                }
            }
            firstChannel += channels;
        }
        return contexts;
    }

    /** The n-th chunks of all texts of a schedule: their emphasis shares its mean. */
    private List<float[]> encode(ModelSession.Network encoder, List<TokenChunk> chunks, int[] times) {
        List<float[]> encoded = new ArrayList<>();
        for (TokenChunk chunk : chunks) {
            float[] ids = new float[chunk.ids().length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = chunk.ids()[i];
            }
            encoded.add(encoder.run(Map.of("tokens", ids), progress).get("context"));
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
