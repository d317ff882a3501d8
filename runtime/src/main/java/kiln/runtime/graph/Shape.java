package kiln.runtime.graph;

/**
 * The size of a result: {@code [batch, height, width, channels]}, channels innermost in memory.
 *
 * <p>A sequence of tokens is {@code [batch, 1, tokens, channels]}; attention reads height × width as its sequence, so that a feature map
 * becomes a sequence without being moved.
 */
public record Shape(int batch, int height, int width, int channels) {
    public Shape {
        if (batch < 1 || height < 1 || width < 1 || channels < 1) {
            throw new IllegalArgumentException("not a shape: [" + batch + ", " + height + ", " + width + ", " + channels + "]");
        }
        Math.multiplyExact(Math.multiplyExact((long) batch * height, (long) width), (long) channels);
    }

    /** A sequence {@code [batch, 1, tokens, channels]}. */
    public static Shape tokens(int batch, int tokens, int channels) {
        return new Shape(batch, 1, tokens, channels);
    }

    /** Places per picture: height × width. */
    public int positions() {
        return Math.multiplyExact(height, width);
    }

    /** Rows of {@code channels} values in the whole: batch × height × width. */
    public int rows() {
        return Math.multiplyExact(batch, positions());
    }

    public long elements() {
        return (long) batch * height * width * channels;
    }

    public Shape withChannels(int count) {
        return new Shape(batch, height, width, count);
    }

    @Override
    public String toString() {
        return "[" + batch + ", " + height + ", " + width + ", " + channels + "]";
    }
}
