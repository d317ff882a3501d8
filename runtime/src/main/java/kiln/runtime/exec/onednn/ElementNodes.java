package kiln.runtime.exec.onednn;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** Elementwise functions, sums, copies and the two embeddings. */
final class ElementNodes {
    private ElementNodes() {}

    /** Post-ops that the node's own primitive could not take, from the given one on, in place. */
    static void postOps(Compilation c, int index, int from) {
        List<PostOp> postOps = c.graph.node(index).postOps();
        for (PostOp postOp : postOps.subList(from, postOps.size())) {
            if (postOp.kind().hasInput()) {
                sum(c, index, index, postOp.input());
            } else {
                activation(c, index, index, postOp.kind());
            }
        }
    }

    static void activation(Compilation c, int index, Op.Activation op) {
        activation(c, index, c.graph.node(index).inputs().get(0), op.kind());
        postOps(c, index, 0);
    }

    private static void activation(Compilation c, int index, int input, PostOp.Kind kind) {
        dnnl_memory_desc layout = c.matrix(index);
        Attributes attributes = new Attributes(c.handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_eltwise_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        Attributes.algorithm(kind),
                        layout,
                        layout,
                        Attributes.factor(kind),
                        0,
                        attributes.finish()),
                "planning " + kind);
        c.step(c.primitive(c.graph.node(index).name(), description, attributes)
                .argument(dnnl.DNNL_ARG_SRC, c.result(input, layout))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, layout)));
    }

    static void prelu(Compilation c, int index) {
        Node node = c.graph.node(index);
        int input = node.inputs().get(0);
        dnnl_memory_desc source = c.image(input);
        dnnl_memory_desc target = c.image(index);
        dnnl_memory_desc slopes = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_nhwc, 1, node.shape().channels(), 1, 1);
        Attributes attributes = new Attributes(c.handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_prelu_forward_primitive_desc_create(
                        description, OneDnn.engine(), dnnl.dnnl_forward_inference, source, slopes, target, attributes.finish()),
                "planning a PReLU");
        OneDnnWeights.Held held = c.weights.get(OneDnnWeights.Slice.whole(node.weights().get(0)), slopes, slopes);
        if (held.isNarrow()) {
            c.step(held::widen);
        }
        c.step(c.primitive(node.name(), description, attributes)
                .argument(dnnl.DNNL_ARG_SRC, c.result(input, source))
                .argument(dnnl.DNNL_ARG_WEIGHTS, held.memory())
                .argument(dnnl.DNNL_ARG_DST, c.result(index, target)));
        postOps(c, index, 0);
    }

    /** Sum of two results; the second may be one vector for all positions. */
    static void sum(Compilation c, int index) {
        List<Integer> inputs = c.graph.node(index).inputs();
        sum(c, index, inputs.get(0), inputs.get(1));
        postOps(c, index, 0);
    }

    private static void sum(Compilation c, int index, int a, int b) {
        dnnl_memory_desc layoutA = c.image(a);
        dnnl_memory_desc layoutB = c.image(b);
        dnnl_memory_desc target = c.image(index);
        Attributes attributes = new Attributes(c.handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_binary_primitive_desc_create(
                        description, OneDnn.engine(), dnnl.dnnl_binary_add, layoutA, layoutB, target, attributes.finish()),
                "planning a sum");
        c.step(c.primitive(c.graph.node(index).name(), description, attributes)
                .argument(dnnl.DNNL_ARG_SRC, c.result(a, layoutA))
                .argument(dnnl.DNNL_ARG_SRC_1, c.result(b, layoutB))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, target)));
    }

    static void concat(Compilation c, int index) {
        Node node = c.graph.node(index);
        dnnl_memory_desc a = c.image(node.inputs().get(0));
        dnnl_memory_desc b = c.image(node.inputs().get(1));
        dnnl_memory_desc target = c.image(index);
        Attributes attributes = new Attributes(c.handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        try (PointerPointer<Pointer> sources = new PointerPointer<>(a, b);
                PointerPointer<Pointer> result = new PointerPointer<>(1)) {
            OneDnn.check(
                    dnnl.dnnl_concat_primitive_desc_create(
                            result, OneDnn.engine(), target, 2, 1, sources, attributes.finish()),
                    "planning the joining " + node.name());
            description = new dnnl_primitive_desc(result.get(0));
        }
        c.step(c.primitive(node.name(), description, attributes)
                .argument(dnnl.DNNL_ARG_MULTIPLE_SRC, c.result(node.inputs().get(0), a))
                .argument(dnnl.DNNL_ARG_MULTIPLE_SRC + 1, c.result(node.inputs().get(1), b))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, target)));
        postOps(c, index, 0);
    }

    /** Copies whole positions: as fast as memory. */
    static void upsample(Compilation c, int index) {
        Node node = c.graph.node(index);
        int input = node.inputs().get(0);
        Shape from = c.shape(input);
        Shape to = node.shape();
        int position = c.format.bytes() * to.channels();
        long sourceOffset = c.offset(input);
        long targetOffset = c.offset(index);
        c.step(() -> {
            for (int b = 0; b < to.batch(); b++) {
                long sourceImage = sourceOffset + (long) b * from.positions() * position;
                long targetImage = targetOffset + (long) b * to.positions() * position;
                ByteBuffer source = c.regions.arenaBuffer(sourceImage, (long) from.positions() * position);
                ByteBuffer target = c.regions.arenaBuffer(targetImage, (long) to.positions() * position);
                int previous = -1;
                for (int y = 0; y < to.height(); y++) {
                    int sourceRow = (int) ((long) y * from.height() / to.height());
                    int row = y * to.width() * position;
                    if (sourceRow == previous) {
                        target.put(row, target, row - to.width() * position, to.width() * position);
                        continue;
                    }
                    previous = sourceRow;
                    for (int x = 0; x < to.width(); x++) {
                        int at = (sourceRow * from.width() + (int) ((long) x * from.width() / to.width())) * position;
                        target.put(row + x * position, source, at, position);
                    }
                }
            }
        });
        postOps(c, index, 0);
    }

    /** Copies whole rows and, beside them, their ends. */
    static void wrapAround(Compilation c, int index, int width) {
        Node node = c.graph.node(index);
        int input = node.inputs().get(0);
        Shape from = c.shape(input);
        Shape to = node.shape();
        int position = c.format(index).bytes() * to.channels();
        long sourceOffset = c.offset(input);
        long targetOffset = c.offset(index);
        c.step(() -> {
            for (int b = 0; b < to.batch(); b++) {
                ByteBuffer source = c.regions.arenaBuffer(
                        sourceOffset + (long) b * from.positions() * position, (long) from.positions() * position);
                ByteBuffer target = c.regions.arenaBuffer(
                        targetOffset + (long) b * to.positions() * position, (long) to.positions() * position);
                for (int y = 0; y < to.height(); y++) {
                    int line = Math.floorMod(y - width, from.height()) * from.width() * position;
                    int row = y * to.width() * position;
                    target.put(row, source, line + (from.width() - width) * position, width * position);
                    target.put(row + width * position, source, line, from.width() * position);
                    target.put(row + (width + from.width()) * position, source, line, width * position);
                }
            }
        });
        postOps(c, index, 0);
    }

    /** Reads just the rows that are needed from the file. */
    static void embedding(Compilation c, int index) {
        Node node = c.graph.node(index);
        Shape shape = node.shape();
        String table = node.weights().get(0).names().get(0);
        String places = node.weights().get(1).names().get(0);
        int vocabulary = node.weights().get(0).rows();
        int channels = shape.channels();
        long idsOffset = c.offset(node.inputs().get(0));
        long targetOffset = c.offset(index);
        c.step(() -> {
            FloatBuffer ids = c.regions.arenaBuffer(idsOffset, 4L * shape.rows()).asFloatBuffer();
            ByteBuffer target = c.regions.arenaBuffer(targetOffset, shape.elements() * c.format.bytes());
            float[] placeRows = new float[shape.positions() * channels];
            c.source.readRange(places, 0, FloatBuffer.wrap(placeRows));
            float[] row = new float[channels];
            for (int i = 0; i < shape.rows(); i++) {
                int id = (int) ids.get(i);
                if (id < 0 || id >= vocabulary) {
                    throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + vocabulary);
                }
                c.source.readRange(table, (long) id * channels, FloatBuffer.wrap(row));
                int place = i % shape.positions() * channels;
                for (int k = 0; k < channels; k++) {
                    row[k] += placeRows[place + k];
                }
                Transfer.write(row, target, i * channels * c.format.bytes(), c.format);
            }
        });
        postOps(c, index, 0);
    }

    static void timestepEmbedding(Compilation c, int index) {
        Node node = c.graph.node(index);
        Shape shape = node.shape();
        int half = shape.channels() / 2;
        long timestepsOffset = c.offset(node.inputs().get(0));
        long targetOffset = c.offset(index);
        c.step(() -> {
            FloatBuffer timesteps = c.regions.arenaBuffer(timestepsOffset, 4L * shape.batch()).asFloatBuffer();
            ByteBuffer target = c.regions.arenaBuffer(targetOffset, shape.elements() * c.format.bytes());
            float[] row = new float[shape.channels()];
            for (int b = 0; b < shape.batch(); b++) {
                for (int i = 0; i < half; i++) {
                    // 32-bit steps as in the original program: the angle's rounding shows in the picture.
                    float frequency = (float) Math.exp((float) (-Math.log(10000.0) * i) / half);
                    float angle = timesteps.get(b) * frequency;
                    row[i] = (float) Math.cos(angle);
                    row[half + i] = (float) Math.sin(angle);
                }
                Transfer.write(row, target, b * shape.channels() * c.format.bytes(), c.format);
            }
        });
        postOps(c, index, 0);
    }
}
