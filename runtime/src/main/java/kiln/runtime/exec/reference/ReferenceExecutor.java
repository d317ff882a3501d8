package kiln.runtime.exec.reference;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.OpTable;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import kiln.runtime.graph.Weight;
import kiln.runtime.plan.MemoryPlan;

/**
 * Runs graphs in plain Java: what other executors are measured against, and a way to a picture on machines where none of them works.
 *
 * <p>Graphs run as they are given, fused or not. Results are 32-bit floats on the heap, dropped after their last use. All processors of
 * the common pool take part in a node. Not for use from several threads at once; using it or its graphs after closing is an
 * {@link IllegalStateException}.
 */
public final class ReferenceExecutor implements Executor {
    private static final OpTable<Frame> TABLE = OpTable.<Frame>of("reference")
            .row(Op.Input.class, (frame, node, op) -> {})
            .row(Op.Conv2d.class, keeping(MatrixOps::convolution))
            .row(Op.Linear.class, keeping((frame, node, op) -> MatrixOps.linear(frame, node)))
            .row(Op.LinearGeglu.class, keeping((frame, node, op) -> MatrixOps.geglu(frame, node)))
            .row(Op.GroupNorm.class, keeping(NormOps::group))
            .row(Op.LayerNorm.class, keeping(NormOps::layer))
            .row(Op.Attention.class, keeping(AttentionOp::run))
            .row(Op.Activation.class, keeping((frame, node, op) -> ElementOps.activation(frame, node, op.kind())))
            .row(Op.Prelu.class, keeping((frame, node, op) -> ElementOps.prelu(frame, node)))
            .row(Op.Add.class, keeping((frame, node, op) -> ElementOps.sum(frame, node)))
            .row(Op.AddPerChannel.class, keeping((frame, node, op) -> ElementOps.sumPerChannel(frame, node)))
            .row(Op.Concat.class, keeping((frame, node, op) -> ElementOps.concat(frame, node)))
            .row(Op.UpsampleNearest.class, keeping((frame, node, op) -> ElementOps.upsample(frame, node)))
            .row(Op.WrapAround.class, keeping((frame, node, op) -> ElementOps.wrapAround(frame, node, op.width())))
            .row(Op.Embedding.class, keeping((frame, node, op) -> ElementOps.embedding(frame, node)))
            .row(Op.TimestepEmbedding.class, keeping((frame, node, op) -> ElementOps.timestepEmbedding(frame, node)))
            .build();

    private final PreparedWeights weights;
    private boolean closed;

    /** Computes a new result. */
    @FunctionalInterface
    private interface Computation<T extends Op> {
        float[] of(Frame frame, Node node, T op);
    }

    /** @param source read while graphs are compiled, and for rows of embedding tables while they run; stays the caller's to close */
    public ReferenceExecutor(WeightSource source) {
        weights = new PreparedWeights(source);
    }

    private static <T extends Op> OpTable.Code<Frame, T> keeping(Computation<T> computation) {
        return (frame, index, op) -> {
            Node node = frame.graph().node(index);
            float[] result = computation.of(frame, node, op);
            ElementOps.postOps(frame, node, result);
            frame.results()[index] = result;
        };
    }

    /** The ops that it computes. */
    public static Set<Class<? extends Op>> ops() {
        return TABLE.ops();
    }

    @Override
    public Precision precision() {
        return Precision.F32;
    }

    @Override
    public String description() {
        return "plain Java f32";
    }

    @Override
    public CompiledGraph compile(String network, Graph graph, DoubleConsumer progress) {
        requireOpen();
        for (int i = 0; i < graph.nodes().size(); i++) {
            progress.accept((double) i / graph.nodes().size());
            prepare(graph.node(i));
        }
        progress.accept(1);
        return new Compiled(graph);
    }

    private void prepare(Node node) {
        if (node.op() instanceof Op.Embedding) {
            // Of its tables only the rows that are asked for are read, when they are asked for.
            return;
        }
        for (Weight weight : node.weights()) {
            if (weight.shape().size() > 1) {
                weights.matrix(weight);
            } else {
                weights.vector(weight);
            }
        }
    }

    /** They are read when a graph next asks for them. */
    @Override
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        requireOpen();
        weights.forget(tensors);
        progress.accept(1);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the reference executor is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
        weights.clear();
    }

    private final class Compiled implements CompiledGraph {
        private final Graph graph;
        private final MemoryPlan plan;
        private boolean graphClosed;

        Compiled(Graph graph) {
            this.graph = graph;
            plan = MemoryPlan.of(graph, node -> Float.BYTES);
        }

        @Override
        public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
            requireOpen();
            if (graphClosed) {
                throw new IllegalStateException("the compiled graph is closed");
            }
            Frame frame = new Frame(graph, weights, new float[graph.nodes().size()][]);
            graph.inputs().forEach((name, node) -> frame.results()[node] = checked(name, graph.shapeOf(node), inputs.get(name)));
            double done = 0;
            for (int i = 0; i < graph.nodes().size(); i++) {
                progress.at(done);
                Node node = graph.node(i);
                TABLE.run(frame, i, node.op());
                int now = i;
                node.reads().filter(read -> plan.lastUse(read) == now).forEach(read -> frame.results()[read] = null);
                done += graph.flops(node);
            }
            progress.at(done);
            Map<String, float[]> outputs = new HashMap<>();
            graph.outputs().forEach((name, node) -> outputs.put(name, frame.results()[node].clone()));
            return outputs;
        }

        private static float[] checked(String name, Shape shape, float[] values) {
            if (values == null || values.length != shape.elements()) {
                throw new IllegalArgumentException(
                        "input " + name + " needs " + shape + ", found " + (values == null ? "nothing" : values.length + " values"));
            }
            return values;
        }

        @Override
        public void close() {
            graphClosed = true;
        }
    }
}
