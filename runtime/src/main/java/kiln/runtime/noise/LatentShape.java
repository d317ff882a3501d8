package kiln.runtime.noise;

/** One image's latent, {@code [channels, height, width]}. */
public record LatentShape(int channels, int height, int width) {
    public LatentShape {
        if (channels < 1 || height < 0 || width < 0) {
            throw new IllegalArgumentException("a latent of " + channels + "x" + height + "x" + width);
        }
    }

    public int size() {
        return Math.multiplyExact(channels, Math.multiplyExact(height, width));
    }
}
