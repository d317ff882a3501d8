package kiln.runtime.pipeline;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.noise.LatentShape;

/**
 * The denoiser in the shapes that guidance runs it in; {@code null} where one is never needed.
 *
 * @param both halves in one batch, the unconditional one last
 * @param conditional all parts of the prompt
 * @param unconditional the negative prompt
 */
public record GuidedShapes(NetworkShape both, NetworkShape conditional, NetworkShape unconditional) {
    public GuidedShapes {
        if (both == null) {
            Objects.requireNonNull(conditional, "conditional");
        }
    }

    /**
     * @param parts of the prompt, which AND separates
     * @param guided whether there is an unconditional half at all
     * @param skips whether some calls do without it
     */
    static GuidedShapes of(
            int batch, int parts, LatentShape latent, PictureNetworks.Lengths lengths, boolean guided, boolean skips) {
        NetworkShape conditional = NetworkShape.denoiser(parts * batch, latent.height(), latent.width(), lengths.tokens());
        if (!guided) {
            return new GuidedShapes(null, conditional, null);
        }
        if (lengths.tokens() == lengths.negativeTokens()) {
            int entries = (parts + 1) * batch;
            return new GuidedShapes(
                    NetworkShape.denoiser(entries, latent.height(), latent.width(), lengths.tokens()), skips ? conditional : null, null);
        }
        return new GuidedShapes(
                null, conditional, NetworkShape.denoiser(batch, latent.height(), latent.width(), lengths.negativeTokens()));
    }

    GuidedShapes withTiling(boolean joins) {
        return new GuidedShapes(withTiling(both, joins), withTiling(conditional, joins), withTiling(unconditional, joins));
    }

    private static NetworkShape withTiling(NetworkShape shape, boolean joins) {
        return shape == null ? null : shape.withTiling(joins);
    }

    /** What a call with both halves runs. */
    public List<NetworkShape> perCall() {
        return both != null ? List.of(both) : Stream.of(conditional, unconditional).filter(Objects::nonNull).toList();
    }

    public List<NetworkShape> all() {
        return Stream.of(both, conditional, unconditional).filter(Objects::nonNull).toList();
    }

    /** One of them, to stand for a step where only one is looked at. */
    public NetworkShape any() {
        return all().get(0);
    }
}
