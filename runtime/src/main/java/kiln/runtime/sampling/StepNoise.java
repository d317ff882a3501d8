package kiln.runtime.sampling;

/** The noise drawn while sampling: the random numbers that follow an image's first noise. */
@FunctionalInterface
public interface StepNoise {
    /** Fills {@code [batch, 4, h, w]} with standard normals, each image's part from that image's own generator. */
    void fill(float[] target);
}
