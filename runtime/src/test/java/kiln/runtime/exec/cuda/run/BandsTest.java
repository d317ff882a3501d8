package kiln.runtime.exec.cuda.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.exec.cuda.residence.HostBlock;
import kiln.runtime.exec.cuda.residence.Residence;
import kiln.runtime.exec.cuda.residence.WeightUpload;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Networks whose maps do not fit the card, computed in bands of rows, against the same run whole. */
class BandsTest {
    private static final long SEED = 5;
    /** So small that results lie across the borders of pieces. */
    private static final long PIECE_BYTES = 100_000;

    private static ModelFiles weights;
    private static Checkpoint model;

    @BeforeAll
    static void open() {
        weights = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
        model = Checkpoint.infer(weights::shape);
    }

    @AfterAll
    static void close() {
        weights.close();
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
                HostBlock host = new HostBlock(context, PIECE_BYTES, () -> Long.MAX_VALUE)) {
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

    /** @param limits as parts of what lies between the smallest arena (0) and that of the whole (1) */
    private static void assertSame(Graph graph, int capability, DataType type, double... limits) {
        DeviceTarget target = new DeviceTarget(Card.of(capability), type, type);
        DeviceProgram whole = Lowering.lower(graph, target);
        long smallest = Lowering.lower(graph, target, 0).arenaBytes();
        Map<String, float[]> expected = run(whole, capability);
        for (double part : limits) {
            // Without any room bands are single rows (of doublings two), however much more the slices of a norm need.
            long limit = part == 0 ? 0 : (long) (smallest + part * (whole.arenaBytes() - 1 - smallest));
            DeviceProgram bands = Lowering.lower(graph, target, limit);
            assertThat(bands.arenaBytes()).as("limit %d, whole %d", limit, whole.arenaBytes()).isLessThanOrEqualTo(Math.max(smallest, limit));
            assertThat(bands.hostBytes()).isPositive();
            assertThat(bands.weights()).isEqualTo(whole.weights());
            double flops = bands.steps().stream().mapToDouble(DeviceProgram.Step::flops).sum();
            assertThat(flops).isCloseTo(whole.graph().flops(), within(1e-9 * flops));
            run(bands, capability)
                    .forEach((name, values) -> assertThat(values).as("%s, limit %d, seed %d", name, limit, SEED).containsExactly(expected.get(name)));
        }
    }

    @Test
    void aDecoderInBandsGivesTheSamePictureToTheBit() {
        assertSame(decoder(8, 8), 80, DataType.F16, 0, 0.5);
    }

    @Test
    void soDoesOneWhoseSizesDivideEvenlyByNothing() {
        assertSame(decoder(9, 7), 61, DataType.F32, 0.15);
    }

    @Test
    void anEncoderInBandsGivesTheSameLatentToTheBit() {
        assertSame(encoder(72, 56), 75, DataType.F16, 0, 0.4);
    }
}
