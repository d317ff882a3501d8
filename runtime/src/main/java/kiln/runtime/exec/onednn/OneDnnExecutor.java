package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.OpTable;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.RowBands;

/** Runs graphs on the CPU through oneDNN. Graphs share one arena and one block of work memory, as only one of them runs at a time. */
public final class OneDnnExecutor implements Executor {
    private static final OpTable<Compilation> TABLE = OpTable.<Compilation>of("oneDNN")
            .row(Op.Input.class, (c, node, op) -> {})
            .row(Op.Conv2d.class, MatrixNodes::convolution)
            .row(Op.Linear.class, (c, node, op) -> MatrixNodes.linear(c, node))
            .row(Op.LinearGeglu.class, (c, node, op) -> MatrixNodes.geglu(c, node))
            .row(Op.GroupNorm.class, NormNodes::groupNorm)
            .row(Op.LayerNorm.class, NormNodes::layerNorm)
            .row(Op.Attention.class, AttentionNode::compile)
            .row(Op.Activation.class, ElementNodes::activation)
            .row(Op.Prelu.class, (c, node, op) -> ElementNodes.prelu(c, node))
            .row(Op.Add.class, (c, node, op) -> ElementNodes.sum(c, node))
            .row(Op.AddPerChannel.class, (c, node, op) -> ElementNodes.sum(c, node))
            .row(Op.Concat.class, (c, node, op) -> ElementNodes.concat(c, node))
            .row(Op.UpsampleNearest.class, (c, node, op) -> ElementNodes.upsample(c, node))
            .row(Op.WrapAround.class, (c, node, op) -> ElementNodes.wrapAround(c, node, op.width()))
            .row(Op.Embedding.class, (c, node, op) -> ElementNodes.embedding(c, node))
            .row(Op.TimestepEmbedding.class, (c, node, op) -> ElementNodes.timestepEmbedding(c, node))
            .build();

    private final WeightSource source;
    private final NumberFormat format;
    private final long bandBytes;
    private final OneDnnWeights weights;
    private AlignedMemory arena = new AlignedMemory(0);
    private AlignedMemory work = new AlignedMemory(0);
    private boolean closed;

    /**
     * @param precision AUTO: bf16 where the CPU multiplies it in hardware, else f32
     * @throws KilnException DEVICE when it is bf16, which this CPU cannot compute
     * @throws IllegalStateException when the library does not load; see {@link OneDnn#unavailableBecause()}
     */
    public OneDnnExecutor(WeightSource source, Precision precision) {
        this(source, precision, false);
    }

    /**
     * @param lowram whether weights that the source has in 16 bits stay so in memory where it computes in 32, and are widened for each use
     */
    public OneDnnExecutor(WeightSource source, Precision precision, boolean lowram) {
        this(source, precision, lowram, RowBands.BAND_BYTES);
    }

    /** @param bandBytes what a band's rows should take */
    OneDnnExecutor(WeightSource source, Precision precision, boolean lowram, long bandBytes) {
        String reason = OneDnn.unavailableBecause();
        if (reason != null) {
            throw new IllegalStateException(reason);
        }
        this.source = source;
        this.bandBytes = bandBytes;
        format = formatFor(precision);
        weights = new OneDnnWeights(source, lowram && format == NumberFormat.F32);
    }

    private static NumberFormat formatFor(Precision precision) {
        return switch (precision) {
            case AUTO -> OneDnn.hasBf16() ? NumberFormat.BF16 : NumberFormat.F32;
            case F32 -> NumberFormat.F32;
            case BF16, F16 -> bf16();
        };
    }

    private static NumberFormat bf16() {
        if (!OneDnn.computesBf16()) {
            throw new KilnException(
                    KilnException.Category.DEVICE,
                    "bf16: this CPU (" + OneDnn.instructionSet() + ") does not compute it, AVX-512 is needed: leave --precision out,"
                            + " or say full");
        }
        return NumberFormat.BF16;
    }

    /** The ops that it computes. */
    public static Set<Class<? extends Op>> ops() {
        return TABLE.ops();
    }

    @Override
    public String description() {
        return "oneDNN " + (format == NumberFormat.BF16 ? "bf16" : "f32") + " (" + OneDnn.instructionSet() + ")";
    }

    @Override
    public Precision precision() {
        return format == NumberFormat.BF16 ? Precision.BF16 : Precision.F32;
    }

    /** Of parameters in memory. */
    long weightBytes() {
        return weights.bytes();
    }

    @Override
    public CompiledGraph compile(String network, Graph unfused, DoubleConsumer progress) {
        requireOpen();
        RowBands bands = RowBands.of(Fusion.fuse(unfused), fused -> Formats.of(fused, format)::bytes, bandBytes);
        Graph graph = bands.graph();
        Formats formats = Formats.of(graph, format);
        Handles handles = new Handles();
        Regions regions = new Regions();
        Compilation compilation = new Compilation(bands, format, formats, weights, source, handles, regions);
        List<List<Runnable>> steps = new ArrayList<>();
        try {
            for (int i = 0; i < graph.nodes().size(); i++) {
                progress.accept((double) i / graph.nodes().size());
                compilation.begin();
                TABLE.run(compilation, i, graph.node(i).op());
                steps.add(compilation.takeSteps());
            }
        } catch (RuntimeException | Error e) {
            handles.close();
            throw e;
        } finally {
            weights.releaseStaging();
        }
        return new Compiled(bands, formats, steps, regions, handles, compilation.workBytes());
    }

    @Override
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        requireOpen();
        weights.reload(tensors, progress);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the oneDNN executor is closed");
        }
    }

    private void room(long arenaBytes, long workBytes) {
        if (arena.bytes() < arenaBytes) {
            arena.close();
            arena = new AlignedMemory(arenaBytes);
        }
        if (work.bytes() < workBytes) {
            work.close();
            work = new AlignedMemory(workBytes);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            weights.close();
            arena.close();
            work.close();
        }
    }

    private final class Compiled implements CompiledGraph {
        private final RowBands bands;
        private final Graph graph;
        private final Formats formats;
        private final List<List<Runnable>> steps;
        private final Regions regions;
        private final Handles handles;
        private final long workBytes;
        private boolean graphClosed;

        Compiled(
                RowBands bands,
                Formats formats,
                List<List<Runnable>> steps,
                Regions regions,
                Handles handles,
                long workBytes) {
            this.bands = bands;
            graph = bands.graph();
            this.formats = formats;
            this.steps = steps;
            this.regions = regions;
            this.handles = handles;
            this.workBytes = workBytes;
        }

        @Override
        public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
            requireOpen();
            if (graphClosed) {
                throw new IllegalStateException("the compiled graph is closed");
            }
            room(bands.arenaBytes(), workBytes);
            regions.bind(arena, work);
            graph.inputs().forEach((name, node) -> write(name, node, inputs.get(name)));
            double done = 0;
            for (int i = 0; i < steps.size(); i++) {
                double before = done;
                progress.at(before);
                regions.listener(() -> progress.at(before));
                steps.get(i).forEach(Runnable::run);
                done += graph.flops(graph.node(i));
            }
            progress.at(done);
            Map<String, float[]> outputs = new HashMap<>();
            graph.outputs().forEach((name, node) -> outputs.put(name, read(node)));
            return outputs;
        }

        private void write(String name, int node, float[] values) {
            Shape shape = graph.shapeOf(node);
            if (values == null || values.length != shape.elements()) {
                throw new IllegalArgumentException(
                        "input " + name + " needs " + shape + ", found " + (values == null ? "nothing" : values.length + " values"));
            }
            NumberFormat stored = formats.of(node);
            Transfer.write(values, regions.arenaBuffer(bands.offset(node), shape.elements() * stored.bytes()), 0, stored);
        }

        private float[] read(int node) {
            Shape shape = graph.shapeOf(node);
            NumberFormat stored = formats.of(node);
            return Transfer.read(
                    regions.arenaBuffer(bands.offset(node), shape.elements() * stored.bytes()), (int) shape.elements(), stored);
        }

        @Override
        public void close() {
            if (!graphClosed) {
                graphClosed = true;
                handles.close();
            }
        }
    }
}
