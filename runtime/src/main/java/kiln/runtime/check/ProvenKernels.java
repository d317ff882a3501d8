package kiln.runtime.check;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import kiln.kernels.Kernel;
import kiln.kernels.cases.KernelLibrary;
import kiln.kernels.op.Card;
import kiln.runtime.exec.cuda.program.LoweredKernels;
import kiln.runtime.family.sd1.StableDiffusion1;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.CheckpointShapes;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.text.TokenChunk;
import kiln.runtime.upscale.UsualUpscalers;

/**
 * The kernels that pictures run, found by lowering the networks that draw them, and the library's: what is assembled, emulated, replayed.
 * A test fails where a size or a card takes another one.
 */
public final class ProvenKernels {
    /** One of each kind that kernels are chosen by. */
    static final List<Integer> CAPABILITIES = List.of(50, 61, 70, 75, 80, 86, 89, 90);
    /** From one that never has too little to do to one that always has; between them, what is sold. */
    private static final List<Integer> MULTIPROCESSORS = List.of(1, 16, 132, 1000);

    /** The models whose pictures can be drawn, with the sides of latents that make most of a difference. */
    private static final List<Usual> USUAL = List.of(
            new Usual(CheckpointShapes.STABLE_DIFFUSION_15, 64),
            new Usual(CheckpointShapes.STABLE_DIFFUSION_15_INPAINTING, 64),
            new Usual(CheckpointShapes.DEMO, 16),
            new Usual(CheckpointShapes.DEMO, 128));

    /** The squares that upscalers see: A1111's, and a whole small picture. */
    private static final List<Integer> UPSCALED_SIDES = List.of(192, 64);

    private record Usual(CheckpointShapes model, int side) {}

    private ProvenKernels() {}

    /** Found once, when it is asked for first. */
    private static final class Lowered {
        static final Map<Kernel, SortedSet<Integer>> KERNELS = lower();
    }

    /** Those that only some sizes and settings take included, and the library's; each once. */
    public static List<Kernel> all() {
        Set<Kernel> all = new LinkedHashSet<>(KernelLibrary.all());
        all.addAll(lowered().keySet());
        return List.copyOf(all);
    }

    /** What a card runs for the usual sizes, and the library's. */
    public static List<Kernel> of(Card card) {
        Set<Kernel> all = new LinkedHashSet<>(KernelLibrary.all());
        for (Networks networks : networks()) {
            all.addAll(networks.kernels(card));
            all.addAll(networks.kernelsOfOtherWays(card));
        }
        return List.copyOf(all);
    }

    /** By kernel that networks can take: the capabilities of the cards that take it. */
    static Map<Kernel, SortedSet<Integer>> lowered() {
        return Lowered.KERNELS;
    }

    private static Map<Kernel, SortedSet<Integer>> lower() {
        List<Networks> networks = networks();
        List<Set<Kernel>> found = CAPABILITIES.parallelStream().map(capability -> kernels(networks, capability)).toList();
        Map<Kernel, SortedSet<Integer>> lowered = new LinkedHashMap<>();
        for (int i = 0; i < found.size(); i++) {
            for (Kernel kernel : found.get(i)) {
                lowered.computeIfAbsent(kernel, key -> new TreeSet<>()).add(CAPABILITIES.get(i));
            }
        }
        return Collections.unmodifiableMap(lowered);
    }

    private static Set<Kernel> kernels(List<Networks> networks, int capability) {
        Set<Kernel> kernels = new LinkedHashSet<>();
        for (Networks each : networks) {
            for (int multiprocessors : MULTIPROCESSORS) {
                kernels.addAll(each.kernels(new Card(capability, multiprocessors)));
            }
            kernels.addAll(each.kernelsOfOtherWays(Card.of(capability)));
        }
        return LoweredKernels.inOtherSizes(kernels);
    }

    private static List<Networks> networks() {
        List<Networks> networks = new ArrayList<>();
        USUAL.forEach(usual -> networks.add(Networks.of(usual.model, 2, usual.side, usual.side, TokenChunk.LENGTH)));
        for (int side : UPSCALED_SIDES) {
            networks.add(new Networks(UsualUpscalers.graphs(side)));
        }
        return networks;
    }

    /** The networks of a picture, or of what makes it larger. */
    record Networks(List<Graph> graphs) {
        static Networks of(CheckpointShapes model, int batch, int height, int width, int tokens) {
            Model drawn = StableDiffusion1.FAMILY.writer().apply(model.tensors()::get);
            int pixels = drawn.latent().pixels();
            return new Networks(List.of(
                    drawn.graph(NetworkShape.text(drawn.encoders().get(0), 1)),
                    drawn.graph(NetworkShape.denoiser(batch, height, width, tokens)),
                    drawn.graph(NetworkShape.encoder(1, pixels * height, pixels * width)),
                    drawn.graph(NetworkShape.decoder(1, height, width))));
        }

        /** In every format. */
        Set<Kernel> kernels(Card card) {
            Set<Kernel> kernels = new LinkedHashSet<>();
            for (Graph graph : graphs) {
                kernels.addAll(LoweredKernels.inAllFormats(graph, card));
            }
            return kernels;
        }

        /** With attention in slices, and with libraries. Bands are computed by the same kernels as the whole. */
        Set<Kernel> kernelsOfOtherWays(Card card) {
            Set<Kernel> kernels = new LinkedHashSet<>();
            for (Graph graph : graphs) {
                kernels.addAll(LoweredKernels.inSlices(graph, card));
                kernels.addAll(LoweredKernels.behindLibraries(graph));
            }
            return kernels;
        }
    }
}
