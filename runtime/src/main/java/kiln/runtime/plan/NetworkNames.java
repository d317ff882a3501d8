package kiln.runtime.plan;

/** What networks are called in plans, by executors and to people. */
public final class NetworkNames {
    public static final String TEXT_ENCODER = "text encoder";
    /** The network that runs at every step. */
    public static final String DENOISER = "denoiser";
    public static final String ENCODER = "encoder";
    public static final String DECODER = "decoder";

    private NetworkNames() {}
}
