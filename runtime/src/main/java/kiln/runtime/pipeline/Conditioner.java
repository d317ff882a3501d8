package kiln.runtime.pipeline;

import java.util.List;
import java.util.Map;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.model.TextEncoder;
import kiln.runtime.text.Emphasis;
import kiln.runtime.text.TokenChunk;

/** From chunks of tokens to what the denoiser reads: each chunk through each of the model's encoders, results side by side. */
final class Conditioner {
    private final ModelSession session;
    private final List<NetworkShape> encoders;
    private final ProgressTracker progress;

    Conditioner(ModelSession session, List<NetworkShape> encoders, ProgressTracker progress) {
        this.session = session;
        this.encoders = encoders;
        this.progress = progress;
    }

    /** Chunk by chunk, as A1111 does. */
    Conditioning encode(List<TokenChunk> chunks) {
        int width = session.model().encoders().stream().mapToInt(TextEncoder::width).sum();
        float[] context = new float[chunks.size() * TokenChunk.LENGTH * width];
        int firstChannel = 0;
        for (int e = 0; e < encoders.size(); e++) {
            ModelSession.Network encoder = session.network(encoders.get(e));
            int channels = session.model().encoders().get(e).width();
            for (int i = 0; i < chunks.size(); i++) {
                float[] encoded = encode(encoder, chunks.get(i));
                for (int token = 0; token < TokenChunk.LENGTH; token++) {
                    int to = (i * TokenChunk.LENGTH + token) * width + firstChannel;
                    System.arraycopy(encoded, token * channels, context, to, channels);
                }
                progress.networkDone(encoder.flops());
            }
            firstChannel += channels;
        }
        return new Conditioning(context, chunks.size() * TokenChunk.LENGTH);
    }

    private float[] encode(ModelSession.Network encoder, TokenChunk chunk) {
        float[] ids = new float[chunk.ids().length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = chunk.ids()[i];
        }
        float[] encoded = encoder.run(Map.of("tokens", ids), progress).get("context");
        Emphasis.apply(encoded, chunk.weights());
        return encoded;
    }
}
