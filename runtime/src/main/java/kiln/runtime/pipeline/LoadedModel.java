package kiln.runtime.pipeline;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.model.ModelDefaults;
import kiln.runtime.plan.NetworkNames;

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
    private final LinkedHashMap<Key, Network> networks = new LinkedHashMap<>(16, 0.75f, true);

    private record Key(String network, int batch, int height, int width, int tokens, int detail) {}

    /**
     * Takes the file over: it is closed here when the model cannot be used.
     *
     * @throws kiln.runtime.base.KilnException when the file is no model that can draw, or its metadata or the device are of no use
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

    /** What of a device is in use; {@code null} where there is none but the CPU. */
    public DeviceUse deviceUse() {
        return executor.deviceUse();
    }

    /** The number format that is computed in. */
    public Precision precision() {
        return executor.precision();
    }

    /** One network for one shape: its graph is built once, and compiled when first asked for. */
    public final class Network {
        private final Key key;
        private final Graph graph;
        private final double flops;
        private CompiledGraph compiled;

        private Network(Key key, Graph graph) {
            this.key = key;
            this.graph = graph;
            flops = graph.flops();
            executor.announce(key.network, graph);
        }

        public double flops() {
            return flops;
        }

        /** Converts the weights and plans the memory; nothing when that is done already. */
        public void prepare(DoubleConsumer progress) {
            if (compiled == null) {
                keep(this);
                compiled = executor.compile(key.network, graph, progress);
            }
        }

        public Map<String, float[]> run(Map<String, float[]> inputs, Progress progress) {
            prepare(fraction -> {});
            return compiled.run(inputs, progress);
        }

        private void release() {
            if (compiled != null) {
                compiled.close();
                compiled = null;
            }
        }
    }

    public Network textEncoder(int batch, int tokens, int clipSkip) {
        return network(
                new Key(NetworkNames.TEXT_ENCODER, batch, 1, 1, tokens, clipSkip), () -> sizes.text().graph(file::shape, batch, tokens, clipSkip));
    }

    /** One timestep serves the whole batch. */
    public Network unet(int batch, int height, int width, int tokens) {
        return network(
                new Key(NetworkNames.DENOISER, batch, height, width, tokens, 0),
                () -> sizes.unet().graph(file::shape, batch, height, width, tokens, 1));
    }

    /** Height and width in pixels. */
    public Network encoder(int batch, int height, int width) {
        return network(
                new Key(NetworkNames.ENCODER, batch, height, width, 0, 0), () -> sizes.vae().encoder(file::shape, batch, height, width));
    }

    public Network decoder(int batch, int height, int width) {
        return network(
                new Key(NetworkNames.DECODER, batch, height, width, 0, 0), () -> sizes.vae().decoder(file::shape, batch, height, width));
    }

    private Network network(Key key, Supplier<Graph> graph) {
        Network found = networks.get(key);
        if (found == null) {
            found = new Network(key, graph.get());
            keep(found);
        }
        return found;
    }

    /** Makes it one of the networks kept; the one used longest ago makes room, and compiles anew should it be used again. */
    private void keep(Network network) {
        Network before = networks.put(network.key, network);
        if (before != null && before != network) {
            before.release();
        }
        while (networks.size() > MAX_GRAPHS) {
            networks.remove(networks.keySet().iterator().next()).release();
        }
    }

    @Override
    public void close() {
        networks.values().forEach(Network::release);
        networks.clear();
        executor.close();
        file.close();
    }
}
