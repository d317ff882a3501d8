package kiln.runtime.pipeline;

import kiln.runtime.job.GenerationRequest;
import kiln.runtime.noise.ImageNoise;

/**
 * What sampling begins from: a batch's noise, each picture's from its own seed, and where its further noise comes from.
 *
 * @param seeds of the pictures
 * @param noise standard normals {@code [batch, channels, height, width]}
 * @param source has given {@code noise} and gives the sampler more
 */
record FirstLatents(long[] seeds, float[] noise, ImageNoise source) {
    /**
     * @param first of the batch's pictures in the job
     * @param size of one latent
     */
    static FirstLatents ofNoise(GenerationRequest request, int first, int size) {
        long[] seeds = new long[request.batchSize()];
        for (int i = 0; i < seeds.length; i++) {
            seeds[i] = request.seed() + first + i;
        }
        ImageNoise source = new ImageNoise(request.noise(), seeds, 0);
        float[] noise = new float[seeds.length * size];
        source.next(noise);
        return new FirstLatents(seeds, noise, source);
    }
}
