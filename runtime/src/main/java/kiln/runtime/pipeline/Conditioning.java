package kiln.runtime.pipeline;

import java.util.List;
import java.util.Map;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.text.Emphasis;
import kiln.runtime.text.TokenChunk;

/**
 * A prompt as the denoiser reads it: {@code [tokens, width]}, 77 tokens a chunk.
 *
 * @param tokens a multiple of 77
 */
record Conditioning(float[] context, int tokens) {
    /** Encodes chunk by chunk, as A1111 does; {@code progress} is told each chunk's FLOPs anew. */
    static Conditioning encode(LoadedModel model, List<TokenChunk> chunks, int clipSkip, ProgressTracker progress) {
        int width = model.sizes().text().width();
        float[] context = new float[chunks.size() * TokenChunk.LENGTH * width];
        LoadedModel.Network encoder = model.textEncoder(1, TokenChunk.LENGTH, clipSkip);
        for (int i = 0; i < chunks.size(); i++) {
            float[] encoded = encodeChunk(encoder, chunks.get(i), progress);
            System.arraycopy(encoded, 0, context, i * encoded.length, encoded.length);
            progress.networkDone(encoder.flops());
        }
        return new Conditioning(context, chunks.size() * TokenChunk.LENGTH);
    }

    private static float[] encodeChunk(LoadedModel.Network encoder, TokenChunk chunk, CompiledGraph.Progress progress) {
        float[] ids = new float[chunk.ids().length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = chunk.ids()[i];
        }
        float[] encoded = encoder.run(Map.of("tokens", ids), progress).get("context");
        Emphasis.apply(encoded, chunk.weights());
        return encoded;
    }
}
