package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import kiln.runtime.addon.AddOns;
import kiln.runtime.addon.AddedLoras;
import kiln.runtime.addon.ChangedWeights;
import kiln.runtime.addon.LoraCatalog;
import kiln.runtime.addon.LoraTargets;
import kiln.runtime.addon.LoraUse;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Model;
import kiln.runtime.model.ModelDefaults;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.text.ExtraNetwork;
import kiln.runtime.text.PromptOptions;
import kiln.runtime.text.TokenChunk;

/**
 * A model's weights on a device: the executor that holds them and the graphs compiled so far. Used by one thread at a time. The creator
 * closes it, which also closes the files.
 */
public final class ModelSession implements AutoCloseable {
    /** Graphs kept ready; a change of size or prompt length needs another one. */
    private static final int MAX_GRAPHS = 8;

    private final ModelFiles files;
    private final Model model;
    private final ModelDefaults defaults;
    private final Executor executor;
    private final AddOns addOns;
    private final ChangedWeights weights;
    private AddedLoras loras;
    private final PromptEmbeddings embeddings;
    private final LinkedHashMap<NetworkShape, Network> networks = new LinkedHashMap<>(16, 0.75f, true);

    /** With nothing that prompts could add. */
    public ModelSession(ModelFiles files, Function<WeightSource, Executor> executor) {
        this(files, executor, AddOns.NONE);
    }

    /**
     * Takes the file over: it is closed here when the model cannot be used.
     *
     * @param addOns what prompts may add to the model
     * @throws kiln.runtime.base.KilnException when the file is no model that can draw, or its metadata or the device are of no use
     */
    public ModelSession(ModelFiles files, Function<WeightSource, Executor> executor, AddOns addOns) {
        this.files = files;
        this.addOns = addOns;
        weights = new ChangedWeights(files);
        try {
            defaults = files.defaults();
            model = files.model();
            this.executor = executor.apply(weights);
            embeddings = new PromptEmbeddings(addOns.embeddings(), model, weights);
        } catch (RuntimeException | LinkageError e) {
            files.close();
            throw e;
        }
    }

    public ModelFiles files() {
        return files;
    }

    public Model model() {
        return model;
    }

    public ModelDefaults defaults() {
        return defaults;
    }

    /**
     * Adds what a prompt's tags ask for, and nothing else, from now on: the weights that differ from those of before are read anew, in place.
     *
     * @param notices told in one line what is left out
     * @param progress told the fraction done, 0 to 1; may throw to stop
     * @throws kiln.runtime.base.KilnException when a file is not found, broken or none for this model
     */
    public void add(List<ExtraNetwork> networks, Consumer<String> notices, DoubleConsumer progress) {
        List<AddedLoras.Choice> choices = new ArrayList<>();
        for (ExtraNetwork network : networks) {
            if (LoraUse.isMeantBy(network)) {
                LoraUse use = LoraUse.of(network);
                choices.add(new AddedLoras.Choice(addOns.lora(use.name()), use));
            } else {
                notices.accept(network + " is left out: networks of this kind are not read yet");
            }
        }
        if (loras == null) {
            if (choices.isEmpty()) {
                return;
            }
            loras = new AddedLoras(LoraTargets.of(files), weights);
        }
        Set<String> differ = loras.choose(choices, notices);
        if (!differ.isEmpty()) {
            executor.reload(differ, progress);
        }
        loras.reloaded();
    }

    /** The options with the embeddings that prompts may name at the moment. */
    public PromptOptions withEmbeddings(PromptOptions options) {
        return options.withEmbeddings(embeddings.vocabulary());
    }

    /** What a text encoder reads for a chunk: token ids, and the places of its embeddings' vectors. */
    float[] ids(NetworkShape encoder, TokenChunk chunk) {
        return embeddings.ids(encoder, chunk, table -> executor.reload(Set.of(table), fraction -> {}));
    }

    /** The hashes of the LoRA files that are added, by name: A1111's "Lora hashes". Reads a file whose metadata has none. */
    public Map<String, String> loraHashes() {
        Map<String, String> hashes = new LinkedHashMap<>();
        if (loras != null) {
            loras.files().forEach(file -> hashes.put(LoraCatalog.stem(file), addOns.hashes().lora(file)));
        }
        return hashes;
    }

    /** The hashes of the embeddings that the last prompts named, by name: A1111's "TI hashes". */
    public Map<String, String> embeddingHashes() {
        Map<String, String> hashes = new LinkedHashMap<>();
        embeddings.used().forEach((name, file) -> hashes.put(name, addOns.hashes().embedding(file.path())));
        return hashes;
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
        private final NetworkShape shape;
        private final Graph graph;
        private final double flops;
        private CompiledGraph compiled;

        private Network(NetworkShape shape, Graph graph) {
            this.shape = shape;
            this.graph = graph;
            flops = graph.flops();
            executor.announce(shape.network(), graph);
        }

        public double flops() {
            return flops;
        }

        /** Converts the weights and plans the memory; nothing when that is done already. */
        public void prepare(DoubleConsumer progress) {
            if (compiled == null) {
                keep(this);
                compiled = executor.compile(shape.network(), graph, progress);
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

    /** The network in this shape, its graph written when it is first asked for. */
    public Network network(NetworkShape shape) {
        Network found = networks.get(shape);
        if (found == null) {
            found = new Network(shape, model.graph(shape));
            keep(found);
        }
        return found;
    }

    /** Makes several known before any of them runs, so that a card's memory is shared out once for all of them. */
    public void announce(List<NetworkShape> shapes) {
        shapes.forEach(this::network);
    }

    /** Makes it one of the networks kept; the one used longest ago makes room, and compiles anew should it be used again. */
    private void keep(Network network) {
        Network before = networks.put(network.shape, network);
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
        if (loras != null) {
            loras.close();
        }
        files.close();
    }
}
