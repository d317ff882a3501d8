package kiln.runtime.exec.onednn;

import java.nio.FloatBuffer;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * Mean and variance of each channel of one picture's map, taken of slices that stay in the cache and put together: the batch normalisation
 * that finds them reads what it is given three times, and writes a normalised copy that nobody wants.
 */
final class Statistics {
    private static final long SLICE_ELEMENTS = 1 << 20;

    private final Compilation c;
    private final int channels;
    private final int height;
    private final int rows;
    private final long rowBytes;
    private final long meansAt;
    private final long variancesAt;
    private final SliceStep whole;
    private final SliceStep rest;

    /** Reserves work memory of the node that it is for. */
    Statistics(Compilation c, Node node, Shape picture, int input) {
        this.c = c;
        channels = picture.channels();
        height = picture.height();
        long rowElements = (long) picture.width() * channels;
        rowBytes = rowElements * c.format(input).bytes();
        rows = (int) Math.max(1, Math.min(height, SLICE_ELEMENTS / rowElements));
        meansAt = c.reserve(slices() * vectorBytes());
        variancesAt = c.reserve(slices() * vectorBytes());
        long copyAt = c.reserve(rows * rowBytes);
        whole = new SliceStep(node, new Shape(1, rows, picture.width(), channels), input, copyAt);
        rest = height % rows == 0 ? null : new SliceStep(node, new Shape(1, height % rows, picture.width(), channels), input, copyAt);
    }

    private int slices() {
        return (height + rows - 1) / rows;
    }

    private long vectorBytes() {
        return (long) channels * Float.BYTES;
    }

    /** Of slices of one height. */
    private final class SliceStep {
        private final dnnl_memory source;
        private final dnnl_memory mean;
        private final dnnl_memory variance;
        private final Primitive primitive;

        SliceStep(Node node, Shape slice, int input, long copyAt) {
            dnnl_memory_desc layout = Descriptors.image(c.handles, slice, c.format(input));
            dnnl_memory_desc vector = Descriptors.vector(c.handles, channels);
            Attributes attributes = new Attributes(c.handles);
            dnnl_primitive_desc description = new dnnl_primitive_desc();
            OneDnn.check(
                    dnnl.dnnl_batch_normalization_forward_primitive_desc_create(
                            description, OneDnn.engine(), dnnl.dnnl_forward_training, layout, layout, 1, 0, attributes.finish()),
                    "planning the statistics of " + node.name());
            source = Regions.unplaced(c.handles, layout);
            mean = Regions.unplaced(c.handles, vector);
            variance = Regions.unplaced(c.handles, vector);
            primitive = c.primitive("statistics of " + node.name(), description, attributes)
                    .argument(dnnl.DNNL_ARG_SRC, source)
                    .argument(dnnl.DNNL_ARG_DST, c.regions.work(c.handles, layout, copyAt))
                    .argument(dnnl.DNNL_ARG_MEAN, mean)
                    .argument(dnnl.DNNL_ARG_VARIANCE, variance);
        }

        void run(long sourceAt, int number) {
            c.regions.setArenaAddress(source, sourceAt);
            c.regions.setWorkAddress(mean, meansAt + number * vectorBytes());
            c.regions.setWorkAddress(variance, variancesAt + number * vectorBytes());
            primitive.run();
        }
    }

    /** Takes the statistics of every slice of the picture at an offset of the arena. */
    void of(long offset) {
        for (int i = 0; i < slices(); i++) {
            c.regions.listen();
            (height - i * rows >= rows ? whole : rest).run(offset + i * rows * rowBytes, i);
        }
    }

    /** Of all slices together, by groups: a factor for each channel, then what is added, such that x·factor + added is normalised. */
    void combine(Op.GroupNorm op, float[] scale, float[] shift, FloatBuffer factors) {
        FloatBuffer means = c.regions.workBuffer(meansAt, slices() * vectorBytes()).asFloatBuffer();
        FloatBuffer variances = c.regions.workBuffer(variancesAt, slices() * vectorBytes()).asFloatBuffer();
        int size = channels / op.groups();
        for (int first = 0; first < channels; first += size) {
            double mean = 0;
            for (int i = 0; i < slices(); i++) {
                double sum = 0;
                for (int k = first; k < first + size; k++) {
                    sum += means.get(i * channels + k);
                }
                mean += sum / size * share(i);
            }
            double variance = 0;
            for (int i = 0; i < slices(); i++) {
                double sum = 0;
                for (int k = first; k < first + size; k++) {
                    double distance = means.get(i * channels + k) - mean;
                    sum += variances.get(i * channels + k) + distance * distance;
                }
                variance += sum * share(i);
            }
            double inverse = 1 / Math.sqrt(variance / size + op.epsilon());
            for (int k = first; k < first + size; k++) {
                factors.put(k, (float) (scale[k] * inverse));
                factors.put(channels + k, (float) (shift[k] - mean * scale[k] * inverse));
            }
        }
    }

    /** A slice's of the picture. */
    private double share(int slice) {
        return (double) Math.min(rows, height - slice * rows) / height;
    }
}
