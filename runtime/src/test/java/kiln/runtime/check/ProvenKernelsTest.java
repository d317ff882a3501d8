package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.cases.AssembledKernels;
import kiln.kernels.cases.EmulatedCases;
import kiln.kernels.cases.KernelCase;
import kiln.kernels.cases.KernelCases;
import kiln.kernels.cases.KernelLibrary;
import kiln.kernels.op.Card;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.CheckpointShapes;
import kiln.runtime.upscale.UsualUpscalers;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The kernels that networks take, as the library's are proven by tests of their own. */
class ProvenKernelsTest {
    private static final int SHAPES = 40;
    private static final List<CheckpointShapes> MODELS = List.of(
            CheckpointShapes.STABLE_DIFFUSION_15, CheckpointShapes.STABLE_DIFFUSION_15_INPAINTING, CheckpointShapes.DEMO);

    private static Map<Kernel, SortedSet<Integer>> lowered;
    private static List<Kernel> beyondTheLibrary;

    @BeforeAll
    static void lower() {
        lowered = ProvenKernels.lowered();
        Set<Kernel> library = new HashSet<>(KernelLibrary.all());
        beyondTheLibrary = lowered.keySet().stream().filter(kernel -> !library.contains(kernel)).toList();
    }

    /** For every card that takes them. */
    @Test
    void theyAssembleWithoutSpillsWithinTheirBudget() throws IOException {
        AssembledKernels assembled = AssembledKernels.of(beyondTheLibrary, lowered::get, ProvenKernelsTest.class, "assembled.txt");
        assertThat(beyondTheLibrary).hasSizeGreaterThan(500).allSatisfy(kernel -> {
            assertThat(kernel.target().runsOn(lowered.get(kernel).first())).isTrue();
            assertThat(assembled.faults(kernel)).isEmpty();
        });
    }

    /** The smallest of each kernel's cases: the library's similar ones go through all of theirs. */
    @Test
    void theyEqualTheirReferences() {
        EmulatedCases emulator = new EmulatedCases();
        List<KernelCase> smallest = beyondTheLibrary.stream()
                .map(kernel -> KernelCases.of(kernel).stream().min(Comparator.comparingLong(ProvenKernelsTest::threads)).orElseThrow())
                .toList();
        List<String> wrong = smallest.parallelStream()
                .map(kernelCase -> {
                    try {
                        emulator.assertEqualsReference(kernelCase);
                        return "";
                    } catch (AssertionError | RuntimeException e) {
                        return kernelCase + ": " + e.getMessage();
                    }
                })
                .filter(message -> !message.isEmpty())
                .toList();
        assertThat(wrong).isEmpty();
    }

    private static long threads(KernelCase kernelCase) {
        return kernelCase.calls().stream()
                .mapToLong(call -> (long) call.gridX() * call.gridY() * call.gridZ() * call.kernel().threads())
                .sum();
    }

    @Test
    void otherSizesAndOtherCardsTakeNoKernelThatNothingProves() {
        // Other seeds by hand: a rare shape is for who changes the choice of kernels to find, not for whoever runs the tests next.
        long seed = Long.getLong("kiln.seed", 20261128);
        Random random = new Random(seed);
        Set<Kernel> proven = new HashSet<>(ProvenKernels.all());
        for (int i = 0; i < SHAPES; i++) {
            CheckpointShapes model = MODELS.get(random.nextInt(MODELS.size()));
            int batch = 1 + random.nextInt(8);
            int height = 8 * (1 + random.nextInt(20));
            int width = 8 * (1 + random.nextInt(20));
            int tokens = 77 * (1 + random.nextInt(4));
            int capability = ProvenKernels.CAPABILITIES.get(random.nextInt(ProvenKernels.CAPABILITIES.size()));
            Card card = new Card(capability, 1 + random.nextInt(150));
            Set<Kernel> taken = ProvenKernels.Networks.of(model, batch, height, width, tokens).kernels(card);
            taken.removeAll(proven);
            assertThat(taken)
                    .as("%d latents of %dx%d, %d tokens, %s, %s (seed %d)", batch, height, width, tokens, model, card, seed)
                    .isEmpty();
        }
    }

    @Test
    void upscalersOfOtherSizesTakeNoKernelThatNothingProves() {
        long seed = Long.getLong("kiln.seed", 20261128);
        Random random = new Random(seed);
        Set<Kernel> proven = new HashSet<>(ProvenKernels.all());
        for (int i = 0; i < SHAPES; i++) {
            int side = 16 + random.nextInt(400);
            int capability = ProvenKernels.CAPABILITIES.get(random.nextInt(ProvenKernels.CAPABILITIES.size()));
            Card card = new Card(capability, 1 + random.nextInt(150));
            Set<Kernel> taken = new ProvenKernels.Networks(UsualUpscalers.graphs(side)).kernels(card);
            taken.removeAll(proven);
            assertThat(taken).as("pictures of %d, %s (seed %d)", side, card, seed).isEmpty();
        }
    }

    /** Encoder and decoder: the last two. */
    @Test
    void bandsTakeTheKernelsOfTheWhole() {
        ProvenKernels.Networks networks = ProvenKernels.Networks.of(CheckpointShapes.STABLE_DIFFUSION_15, 1, 64, 72, 77);
        for (int capability : new int[] {61, 80}) {
            for (DataType type : DataType.FLOATS) {
                DeviceTarget target = new DeviceTarget(Card.of(capability), type, type);
                for (Graph graph : networks.graphs().subList(2, 4)) {
                    assertThat(Lowering.lower(graph, target, 0).kernels()).isSubsetOf(Lowering.lower(graph, target).kernels());
                }
            }
        }
    }

    @Test
    void variantsHaveNamesOfTheirOwn() {
        Set<String> names = new TreeSet<>();
        assertThat(ProvenKernels.all()).allSatisfy(kernel -> assertThat(names.add(kernel.name() + " " + kernel.variant())).isTrue());
    }

    @Test
    void whatACardRunsIsProven() {
        Set<Kernel> proven = new HashSet<>(ProvenKernels.all());
        Card card = new Card(75, 34);
        assertThat(ProvenKernels.of(card))
                .hasSizeGreaterThan(KernelLibrary.all().size() + 100)
                .containsAll(KernelLibrary.all())
                .allMatch(proven::contains);
    }
}
