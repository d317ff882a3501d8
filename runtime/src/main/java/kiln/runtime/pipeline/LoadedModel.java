package kiln.runtime.pipeline;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import kiln.runtime.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.model.ModelDefaults;

/**
 * A checkpoint with its executor and the graphs compiled so far. Used by one thread at a time. The creator closes it, which also closes
 * the file.
 */
public final class LoadedModel implements AutoCloseable {
    /** Graphs kept ready; a change of size or prompt length needs another one. */
    private static final int MAX_GRAPHS = 8;

    private final CheckpointFile file;
    private final Checkpoint sizes;
    private final ModelDefaults defaults;
    private final Executor executor;
    private final LinkedHashMap<Key, CompiledGraph> graphs = new LinkedHashMap<>(16, 0.75f, true);

    private record Key(String network, int batch, int height, int width, int tokens, int detail) {}

    /**
     * Takes the file over: it is closed here when the model cannot be used.
     *
     * @throws kiln.runtime.KilnException when the file is no model that can draw, or its metadata or the device are of no use
     */
    public LoadedModel(CheckpointFile file, Function<CheckpointFile, Executor> executor) {
        this.file = file;
        try {
            sizes = file.sizes();
            defaults = ModelDefaults.of(file.metadata());
            this.executor = executor.apply(file);
        } catch (RuntimeException | LinkageError e) {
            file.close();
            throw e;
        }
    }

    public CheckpointFile file() {
        return file;
    }

    public Checkpoint sizes() {
        return sizes;
    }

    public ModelDefaults defaults() {
        return defaults;
    }

    /** What computes, for people. */
    public String device() {
        return executor.description();
    }

    /** The number format that is computed in. */
    public Precision precision() {
        return executor.precision();
    }

    /** One network for one shape, compiled when first asked for. */
    public final class Network {
        private final Key key;
        private final Graph graph;

        private Network(Key key, Supplier<Graph> graph) {
            this.key = key;
            this.graph = graph.get();
        }

        public double flops() {
            return graph.flops();
        }

        /** Converts the weights and plans the memory; nothing when that is done already. */
        public void prepare(DoubleConsumer progress) {
            ready(key, graph, progress);
        }

        public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
            return ready(key, graph, fraction -> {}).run(inputs, progress);
        }
    }

    public Network textEncoder(int batch, int tokens, int clipSkip) {
        return new Network(
                new Key("text", batch, 1, 1, tokens, clipSkip), () -> sizes.text().graph(file::shape, batch, tokens, clipSkip));
    }

    /** One timestep serves the whole batch. */
    public Network unet(int batch, int height, int width, int tokens) {
        return new Network(
                new Key("unet", batch, height, width, tokens, 0),
                () -> sizes.unet().graph(file::shape, batch, height, width, tokens, 1));
    }

    /** Height and width in pixels. */
    public Network encoder(int batch, int height, int width) {
        return new Network(
                new Key("encoder", batch, height, width, 0, 0), () -> sizes.vae().encoder(file::shape, batch, height, width));
    }

    public Network decoder(int batch, int height, int width) {
        return new Network(
                new Key("decoder", batch, height, width, 0, 0), () -> sizes.vae().decoder(file::shape, batch, height, width));
    }

    private CompiledGraph ready(Key key, Graph graph, DoubleConsumer progress) {
        CompiledGraph found = graphs.get(key);
        if (found == null) {
            while (graphs.size() >= MAX_GRAPHS) {
                Key oldest = graphs.keySet().iterator().next();
                graphs.remove(oldest).close();
            }
            found = executor.compile(graph, progress);
            graphs.put(key, found);
        }
        return found;
    }

    @Override
    public void close() {
        List.copyOf(graphs.values()).forEach(CompiledGraph::close);
        graphs.clear();
        executor.close();
        file.close();
    }
}
