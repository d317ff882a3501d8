package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.MemoryPlan;

/** Runs graphs on the CPU through oneDNN. Graphs share one arena and one block of work memory, as only one of them runs at a time. */
public final class OneDnnExecutor implements Executor {
    private final WeightSource source;
    private final Format format;
    private final PreparedWeights weights;
    private NativeMemory arena = new NativeMemory(0);
    private NativeMemory work = new NativeMemory(0);
    private boolean closed;

    /**
     * @param precision AUTO: bf16 where the CPU multiplies it in hardware, else f32
     * @throws KilnException DEVICE when it is bf16, which this CPU cannot compute
     * @throws IllegalStateException when the library does not load; see {@link OneDnn#unavailableBecause()}
     */
    public OneDnnExecutor(WeightSource source, Precision precision) {
        String reason = OneDnn.unavailableBecause();
        if (reason != null) {
            throw new IllegalStateException(reason);
        }
        this.source = source;
        format = formatFor(precision);
        weights = new PreparedWeights(source);
    }

    private static Format formatFor(Precision precision) {
        return switch (precision) {
            case AUTO -> OneDnn.hasBf16() ? Format.BF16 : Format.F32;
            case F32 -> Format.F32;
            case BF16, F16 -> bf16();
        };
    }

    private static Format bf16() {
        if (!OneDnn.computesBf16()) {
            throw new KilnException(
                    KilnException.Category.DEVICE,
                    "bf16: this CPU (" + OneDnn.instructionSet() + ") does not compute it, AVX-512 is needed: leave --precision out, or say full");
        }
        return Format.BF16;
    }

    @Override
    public String description() {
        return "oneDNN " + (format == Format.BF16 ? "bf16" : "f32") + " (" + OneDnn.instructionSet() + ")";
    }

    @Override
    public Precision precision() {
        return format == Format.BF16 ? Precision.BF16 : Precision.F32;
    }

    /** Bytes of prepared parameters. */
    public long weightBytes() {
        return weights.bytes();
    }

    @Override
    public CompiledGraph compile(String network, Graph unfused, DoubleConsumer progress) {
        requireOpen();
        Graph graph = Fusion.fuse(unfused);
        Formats formats = Formats.of(graph, format);
        MemoryPlan plan = MemoryPlan.of(graph, formats::bytes);
        Handles handles = new Handles();
        Regions regions = new Regions();
        Compilation compilation = new Compilation(graph, format, formats, weights, source, handles, regions, plan);
        List<List<Runnable>> steps = new ArrayList<>();
        try {
            for (int i = 0; i < graph.nodes().size(); i++) {
                progress.accept((double) i / graph.nodes().size());
                compilation.begin();
                compile(compilation, i);
                steps.add(compilation.takeSteps());
            }
        } catch (RuntimeException | Error e) {
            handles.close();
            throw e;
        } finally {
            weights.releaseStaging();
        }
        return new Compiled(graph, formats, plan, steps, regions, handles, compilation.workBytes());
    }

    private static void compile(Compilation c, int index) {
        Node node = c.graph.node(index);
        Op op = node.op();
        if (op instanceof Op.Conv2d convolution) {
            MatrixNodes.convolution(c, index, convolution);
        } else if (op instanceof Op.Linear) {
            MatrixNodes.linear(c, index);
        } else if (op instanceof Op.LinearGeglu) {
            MatrixNodes.geglu(c, index);
        } else if (op instanceof Op.GroupNorm norm) {
            NormNodes.groupNorm(c, index, norm);
        } else if (op instanceof Op.LayerNorm norm) {
            NormNodes.layerNorm(c, index, norm);
        } else if (op instanceof Op.Attention attention) {
            AttentionNode.compile(c, index, attention);
        } else if (op instanceof Op.Activation activation) {
            ElementNodes.activation(c, index, node.inputs().get(0), activation.kind());
            ElementNodes.postOps(c, index, 0);
        } else if (op instanceof Op.Add || op instanceof Op.AddPerChannel) {
            ElementNodes.sum(c, index, node.inputs().get(0), node.inputs().get(1));
            ElementNodes.postOps(c, index, 0);
        } else if (op instanceof Op.Concat) {
            ElementNodes.concat(c, index);
            ElementNodes.postOps(c, index, 0);
        } else if (op instanceof Op.UpsampleNearest) {
            ElementNodes.upsample(c, index);
        } else if (op instanceof Op.Embedding) {
            ElementNodes.embedding(c, index);
        } else if (op instanceof Op.TimestepEmbedding) {
            ElementNodes.timestepEmbedding(c, index);
        } else if (!(op instanceof Op.Input)) {
            throw new IllegalArgumentException("oneDNN executor: no code for " + op);
        }
    }

    @Override
    public void release(String prefix) {
        weights.release(prefix);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the oneDNN executor is closed");
        }
    }

    private void room(long arenaBytes, long workBytes) {
        if (arena.bytes() < arenaBytes) {
            arena.close();
            arena = new NativeMemory(arenaBytes);
        }
        if (work.bytes() < workBytes) {
            work.close();
            work = new NativeMemory(workBytes);
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
        private final Graph graph;
        private final Formats formats;
        private final MemoryPlan plan;
        private final List<List<Runnable>> steps;
        private final Regions regions;
        private final Handles handles;
        private final long workBytes;
        private boolean graphClosed;

        Compiled(
                Graph graph,
                Formats formats,
                MemoryPlan plan,
                List<List<Runnable>> steps,
                Regions regions,
                Handles handles,
                long workBytes) {
            this.graph = graph;
            this.formats = formats;
            this.plan = plan;
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
            room(plan.arenaBytes(), workBytes);
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
            Format stored = formats.of(node);
            Transfer.write(values, regions.arenaBuffer(plan.offset(node), shape.elements() * stored.bytes()), 0, stored);
        }

        private float[] read(int node) {
            Shape shape = graph.shapeOf(node);
            Format stored = formats.of(node);
            return Transfer.read(
                    regions.arenaBuffer(plan.offset(node), shape.elements() * stored.bytes()), (int) shape.elements(), stored);
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
