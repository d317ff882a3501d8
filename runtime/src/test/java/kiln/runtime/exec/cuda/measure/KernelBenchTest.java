package kiln.runtime.exec.cuda.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaContext;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.op.Card;
import kiln.runtime.base.KernelTimes;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.plan.NetworkNames;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KernelBenchTest {
    private final ModelFiles demo = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
    private final Map<String, Graph> networks = new LinkedHashMap<>();

    KernelBenchTest() {
        Checkpoint sizes = Checkpoint.infer(demo::shape);
        networks.put(NetworkNames.DENOISER, sizes.unet().graph(demo::shape, 2, 4, 4, 77, 1));
        networks.put(NetworkNames.DECODER, sizes.vae().decoder(demo::shape, 1, 4, 4));
        networks.put(NetworkNames.TEXT_ENCODER, sizes.text().graph(demo::shape, 2, 77, 1));
    }

    @AfterEach
    void close() {
        demo.close();
    }

    private List<Workload> workloads(int capability) {
        return KernelBench.workloads(Card.of(capability), CudaSettings.USUAL, networks, notice -> {});
    }

    @Test
    void everyKernelOfTheNetworksHasARow() {
        for (int capability : new int[] {61, 75, 90}) {
            networks.forEach((name, graph) -> assertThat(workloads(capability).stream().filter(workload -> workload.group().equals(name)))
                    .extracting(workload -> workload.call().kernel())
                    .as("%s on sm_%d", name, capability)
                    .containsAll(Lowering.lower(graph, CudaSettings.USUAL.target(Card.of(capability), name)).kernels()));
        }
    }

    @Test
    void launchesOfANetworkAreCountedAndSoIsTheirWork() {
        List<Workload> unet = workloads(80).stream().filter(workload -> workload.group().equals(NetworkNames.DENOISER)).toList();
        DeviceProgram program = Lowering.lower(networks.get(NetworkNames.DENOISER), CudaSettings.USUAL.target(Card.of(80), NetworkNames.DENOISER));
        long launches = program.steps().stream().mapToLong(step -> step.commands().size()).sum();
        assertThat(unet.stream().mapToLong(Workload::count).sum()).isEqualTo(launches);
        assertThat(unet.size()).isLessThan((int) launches / 2);
        double flops = unet.stream().mapToDouble(workload -> workload.count() * workload.flops()).sum();
        // What is no product counts nothing here: a hundredth.
        assertThat(flops).isCloseTo(program.graph().flops(), within(0.02 * flops));
        // Every parameter is read at least once.
        double bytes = unet.stream().mapToDouble(workload -> workload.count() * workload.bytes()).sum();
        assertThat(bytes).isGreaterThan(program.weights().stream().mapToLong(DeviceWeight::bytes).sum());
    }

    @Test
    void attentionIsTimedAtTheSizesThatOthersPublish() {
        assertThat(workloads(80))
                .filteredOn(workload -> workload.group().equals(PublishedAttention.GROUP))
                .extracting(Workload::text)
                .contains(
                        "2x8 heads of 40, 4096 queries, 4096 keys",
                        "2x8 heads of 160, 256 queries, 77 keys",
                        "2x10 heads of 64, 4096 queries, 4096 keys");
    }

    @Test
    void chosenLaunchesRunOnACardAndNothingIsLeft() {
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(64 << 20).withCapability(80));
        List<String> said = new ArrayList<>();
        try (CudaContext context = driver.open(0)) {
            KernelTimes result = KernelBench.run(
                    context, CudaSettings.USUAL, networks, name -> name.startsWith("denoiser"), true, said::add);
            assertThat(result.rows()).hasSizeGreaterThan(20).allSatisfy(row -> {
                assertThat(row.group()).isEqualTo(NetworkNames.DENOISER);
                assertThat(row.seconds()).isPositive().isGreaterThanOrEqualTo(row.least());
                assertThat(row.count()).isPositive();
            });
            assertThat(result.rows().stream().mapToDouble(KernelTimes.Row::share).sum()).isCloseTo(1, within(1e-9));
            assertThat(result.busBytesPerSecond()).isPositive();
            assertThat(said).anyMatch(text -> text.startsWith("denoiser group_norm"));
            assertThat(driver.record().liveAllocations()).isZero();
            assertThat(driver.record().livePinned()).isZero();
        }
        assertThat(driver.record().leftovers()).isEmpty();
    }

    @Test
    void timingAgainAndAgainReadsAndWritesWithinBounds() {
        // Among them a kernel that reads by numbers in memory; everything else is bounded by its sizes.
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(64 << 20).withCapability(80));
        try (CudaContext context = driver.open(0)) {
            assertThat(KernelBench.run(context, CudaSettings.USUAL, networks, name -> name.contains("embedding "), false, name -> {})
                            .rows())
                    .extracting(KernelTimes.Row::kernel)
                    .containsExactlyInAnyOrder("embedding", "timestep_embedding");
        }
    }
}
