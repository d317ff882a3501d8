package kiln.runtime.pipeline;

/** Latents from the graphs' {@code [batch, height, width, channels]} to the samplers' {@code [batch, channels, height, width]}. */
final class Planes {
    private Planes() {}

    /** The planar form of the entries from {@code firstEntry} on. */
    static float[] planar(float[] interleaved, int firstEntry, int batch, int channels, int positions) {
        float[] planar = new float[batch * channels * positions];
        for (int b = 0; b < batch; b++) {
            int from = (firstEntry + b) * channels * positions;
            int to = b * channels * positions;
            for (int k = 0; k < channels; k++) {
                for (int p = 0; p < positions; p++) {
                    planar[to + k * positions + p] = interleaved[from + p * channels + k];
                }
            }
        }
        return planar;
    }

    /** One planar picture as channels last, each value times {@code factor}, plus {@code addend}. */
    static float[] interleaved(float[] planar, int channels, int positions, float factor, float addend) {
        float[] interleaved = new float[channels * positions];
        for (int k = 0; k < channels; k++) {
            for (int p = 0; p < positions; p++) {
                interleaved[p * channels + k] = planar[k * positions + p] * factor + addend;
            }
        }
        return interleaved;
    }
}
