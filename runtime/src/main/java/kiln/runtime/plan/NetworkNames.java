package kiln.runtime.plan;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kiln.runtime.base.NetworkPart;

/** What networks are called in plans, by executors and to people. */
public final class NetworkNames {
    public static final String TEXT_ENCODER = "text encoder";
    /** The network that runs at every step. */
    public static final String DENOISER = "denoiser";
    public static final String ENCODER = "encoder";
    public static final String DECODER = "decoder";

    private NetworkNames() {}

    /** The networks that those parts are made of. */
    public static Set<String> of(Set<NetworkPart> parts) {
        Set<String> names = new HashSet<>();
        for (NetworkPart part : parts) {
            switch (part) {
                case TEXT_ENCODER -> names.add(TEXT_ENCODER);
                case UNET -> names.add(DENOISER);
                case VAE -> names.addAll(List.of(ENCODER, DECODER));
            }
        }
        return Set.copyOf(names);
    }
}
