package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.emulator.EmulatorChecks;
import kiln.kernels.op.Card;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.model.StableDiffusion15;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Networks whose maps do not fit the card, computed in bands of rows, against the same run whole. */
class BandsTest {
    private static final long SEED = 5;
    private static final long MIB = 1 << 20;
    /** So small that results lie across the borders of pieces. */
    private static final long PIECE_BYTES = 100_000;

    private static CheckpointFile weights;
    private static Checkpoint model;

    @BeforeAll
    static void open() {
        weights = CheckpointFile.open(Path.of("demo", "kiln-demo.safetensors"));
        model = weights.sizes();
    }

    @AfterAll
    static void close() {
        weights.close();
    }

    private static DeviceTarget target(int capability, DataType type) {
        return new DeviceTarget(Card.of(capability), type, false);
    }

    private static Graph decoder(int height, int width) {
        return model.vae().decoder(weights::shape, 1, height, width);
    }

    private static Graph encoder(int height, int width) {
        return model.vae().encoder(weights::shape, 1, height, width);
    }

    /** Runs a program on a card that has room for its weights and its arena, and nothing besides. */
    private static Map<String, float[]> run(DeviceProgram program, int capability) {
        long weightBytes = program.weights().stream().mapToLong(weight -> DeviceWeight.align(weight.bytes())).sum();
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(weightBytes + program.arenaBytes())
                .withCapability(capability)
                .withChecks(EmulatorChecks.NONE.withUninitialisedReads(true))
                .withLazyStreams(SEED));
        Random random = new Random(SEED);
        Map<String, float[]> inputs = new HashMap<>();
        program.graph().inputs().forEach((name, node) -> {
            float[] values = new float[(int) program.graph().shapeOf(node).elements()];
            IntStream.range(0, values.length).forEach(i -> values[i] = (float) random.nextGaussian());
            inputs.put(name, values);
        });
        try (CudaContext context = driver.open(0);
                KernelModules modules = new KernelModules(context);
                WeightUpload upload = new WeightUpload(context, weights, 0);
                HostBlock host = new HostBlock(context, PIECE_BYTES)) {
            Stream compute = context.createStream();
            long[] places = program.weights().stream().mapToLong(weight -> {
                        long address = context.allocate(weight.bytes(), weight.name());
                        upload.upload(weight, address, false, compute);
                        return address;
                    })
                    .toArray();
            long arena = context.allocate(program.arenaBytes(), "results");
            host.reserve(program, "network", program.hostBytes());
            GraphTransfers transfers = new GraphTransfers(program);
            PinnedMemory pinned = context.allocatePinned(transfers.bytes(), "inputs and outputs");
            transfers.write(inputs, pinned);
            BoundProgram bound = BoundProgram.of(new Residence.Placed(program, 0, arena, places, List.of()));
            try (ProgramRunner runner = new ProgramRunner(context, modules, DeviceLibraries.none(), upload, host, compute, context.createStream())) {
                transfers.toDevice(context, pinned, arena, compute);
                runner.run(bound, Progress.NONE);
                transfers.toHost(context, pinned, arena, compute);
                runner.settle();
            }
            return transfers.read(pinned);
        }
    }

    private static void assertSame(Graph graph, int capability, DataType type, long... limits) {
        DeviceTarget target = target(capability, type);
        DeviceProgram whole = Lowering.lower(graph, target);
        Map<String, float[]> expected = run(whole, capability);
        for (long limit : limits) {
            DeviceProgram bands = Lowering.lower(graph, target, limit);
            assertThat(bands.arenaBytes()).as("limit %d, whole %d", limit, whole.arenaBytes()).isLessThanOrEqualTo(limit);
            assertThat(bands.hostBytes()).isPositive();
            assertThat(bands.weights()).isEqualTo(whole.weights());
            run(bands, capability).forEach((name, values) -> assertThat(values).as("%s, limit %d", name, limit).containsExactly(expected.get(name)));
        }
    }

    static Graph small(Graph g) {
        return new Graph(g.nodes().stream().map(n -> n.op() instanceof kiln.runtime.graph.Op.Attention a ? new kiln.runtime.graph.Node(n.name(), new kiln.runtime.graph.Op.Attention(4, 128, false, 0, 0, 0), n.inputs(), n.weights(), n.postOps(), n.shape()) : n).toList(), g.inputs(), g.outputs());
    }

    @Test
    void x() {
        for (Graph g : List.of(decoder(8, 8), encoder(64, 64), decoder(9, 7))) {
            System.out.println(Lowering.lower(g, target(80, DataType.F16)).arenaBytes() + " least " + Lowering.leastArenaBytes(g, target(80, DataType.F16)) + " smallest " + Lowering.lower(g, target(80, DataType.F16), 0).arenaBytes());
        }
        Map<String, List<Integer>> shapes = StableDiffusion15.shapes();
        for (int side : new int[] {64, 96, 128, 256}) {
            Graph g = small(Checkpoint.infer(shapes::get).vae().decoder(shapes::get, 1, side, side));
            DeviceProgram whole = Lowering.lower(g, target(80, DataType.F16));
            System.out.println(side * 8 + " " + whole.arenaBytes() / MIB + " least " + Lowering.leastArenaBytes(g, target(80, DataType.F16)) / MIB);
            for (long limit : new long[] {1400, 1000, 800, 600, 400, 200, 100}) {
                DeviceProgram p = Lowering.lower(g, target(80, DataType.F16), limit * MIB);
                long copied = p.steps().stream().flatMap(s -> s.commands().stream()).mapToLong(c -> c instanceof DeviceCommand.CopyToDevice d ? d.bytes() : c instanceof DeviceCommand.CopyToHost d ? d.bytes() : 0).sum();
                System.out.println("   " + limit + " arena " + p.arenaBytes() / MIB + " host " + p.hostBytes() / MIB + " steps " + p.steps().size() + " copied " + copied / MIB);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 8, 80, F16", "9, 7, 75, F16", "9, 7, 61, F32"})
    void aDecoderInBandsGivesTheSamePictureToTheBit(int height, int width, int capability, DataType type) {
        Graph graph = decoder(height, width);
        long whole = Lowering.lower(graph, target(capability, type)).arenaBytes();
        long smallest = Lowering.lower(graph, target(capability, type), 0).arenaBytes();
        assertSame(graph, capability, type, whole - 1, (whole + smallest) / 2, (whole + 4 * smallest) / 5, smallest);
    }
}
