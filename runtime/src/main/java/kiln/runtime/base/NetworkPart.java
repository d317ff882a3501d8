package kiln.runtime.base;

/** One of the three networks that a picture goes through. */
public enum NetworkPart {
    TEXT_ENCODER,
    UNET,
    VAE
}
