package kiln.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.runtime.base.MemoryMode;
import org.junit.jupiter.api.Test;

class ResidencyPlanTest {
    private static final long MIB = 1 << 20;
    private static final NetworkDemand TEXT = network("text", 10, 1, 20);
    private static final NetworkDemand UNET = network("unet", 50, 5, 100, 100, 100, 100);
    private static final NetworkDemand DECODER = network("decoder", 80, 1, 30);
    private static final List<NetworkDemand> NETWORKS = List.of(TEXT, UNET, DECODER);

    /** Weights of so many MiB, each with so many FLOPs a byte. */
    private static NetworkDemand network(String name, long arenaMib, double flopsPerByte, long... weightMib) {
        List<WeightUse> weights = new ArrayList<>();
        for (long mib : weightMib) {
            weights.add(new WeightUse(name + weights.size(), mib * MIB, flopsPerByte * mib * MIB));
        }
        return new NetworkDemand(name, weights, arenaMib * MIB, weights.stream().mapToDouble(WeightUse::flops).sum());
    }

    private static ResidencyPlan plan(long budgetMib) {
        return ResidencyPlan.choose(NETWORKS, "unet", budgetMib * MIB, 7 * MIB, Residency.RESIDENT);
    }

    @Test
    void theHighestResidencyThatFitsIsChosen() {
        // 7 + (20 + 400 + 30) + 80.
        assertThat(plan(537).residency()).isEqualTo(Residency.RESIDENT);
        assertThat(plan(537).peakBytes()).isEqualTo(537 * MIB);
        assertThat(plan(537).lower().orElseThrow().residency()).isEqualTo(Residency.TAKING_TURNS);
        // 7 + 400 + 50.
        assertThat(plan(536).residency()).isEqualTo(Residency.TAKING_TURNS);
        assertThat(plan(536).peakBytes()).isEqualTo(457 * MIB);
        assertThat(plan(536).turnBytes()).isEqualTo(450 * MIB);
        // 7 + (100 resident, two slots of 100) + 50.
        assertThat(plan(456).residency()).isEqualTo(Residency.STREAMED);
        assertThat(plan(456).peakBytes()).isEqualTo(357 * MIB);
        assertThat(plan(456).streamedBytesPerStep()).isEqualTo(300 * MIB);
        assertThat(plan(456).lower()).isEmpty();
    }

    @Test
    void anOptionLowersTheHighest() {
        ResidencyPlan medvram = ResidencyPlan.choose(NETWORKS, "unet", 4000 * MIB, 0, Residency.TAKING_TURNS);
        assertThat(medvram.residency()).isEqualTo(Residency.TAKING_TURNS);
        assertThat(medvram.withBudget(400 * MIB).residency()).isEqualTo(Residency.STREAMED);
        assertThat(medvram.withBudget(5000 * MIB).residency()).isEqualTo(Residency.TAKING_TURNS);
        ResidencyPlan lowvram = ResidencyPlan.choose(NETWORKS, "unet", 4000 * MIB, 0, Residency.STREAMED);
        assertThat(lowvram.residency()).isEqualTo(Residency.STREAMED);
        assertThat(lowvram.streamedBytesPerStep()).as("there is room for all of it").isZero();
    }

    @Test
    void theWordsAreThoseOfTheFlags() {
        assertThat(Residency.highest(MemoryMode.AUTO).word()).isEqualTo("resident");
        assertThat(Residency.highest(MemoryMode.MEDVRAM).word()).isEqualTo("medvram");
        assertThat(Residency.highest(MemoryMode.LOWVRAM).word()).isEqualTo("lowvram");
    }

    @Test
    void kindsOfBytesAddUpToThePeak() {
        for (long budget = 100; budget < 600; budget += 20) {
            ResidencyPlan plan = plan(budget);
            assertThat(plan.peakBytes()).isEqualTo(plan.fixedBytes() + plan.weightsBytes() + plan.activationBytes());
            assertThat(plan.fits()).isEqualTo(plan.peakBytes() <= plan.budgetBytes()).isEqualTo(plan.shortage().isEmpty());
        }
    }

    @Test
    void weightsWithTheLeastWorkPerByteStay() {
        List<WeightUse> weights = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            weights.add(new WeightUse("w" + i, MIB, (i % 2 == 0 ? 1e6 : 1e9) + i));
        }
        NetworkDemand demand = new NetworkDemand("unet", weights, 0, 0);
        ResidencyPlan plan = ResidencyPlan.choose(List.of(demand), "unet", 7 * MIB, 0, Residency.RESIDENT);
        // Two slots of one, so that five stay.
        for (int i = 0; i < 10; i++) {
            assertThat(plan.placementOf("unet", i).resident()).as("weight %d", i).isEqualTo(i % 2 == 0);
        }
        assertThat(plan.placementOf("unet", 5)).isEqualTo(new Placement(2, 0));
        assertThat(plan.placementOf("unet", 5).slot()).isZero();
        assertThat(plan.streamedNetwork().slotOffset(1)).isEqualTo(6 * MIB);
        assertThat(plan.streamedNetwork().weightOffset(7)).isEqualTo(6 * MIB);
    }

    @Test
    void theReducedArenaIsUsedOnlyWhereNothingElseHelps() {
        List<NetworkDemand> networks = List.of(TEXT, UNET, DECODER.withReducedArena(15 * MIB));
        ResidencyPlan whole = ResidencyPlan.choose(networks, "unet", 537 * MIB, 7 * MIB, Residency.RESIDENT);
        assertThat(whole.network("decoder").reducedArena()).isFalse();
        ResidencyPlan turns = ResidencyPlan.choose(networks, "unet", 536 * MIB, 7 * MIB, Residency.RESIDENT);
        assertThat(turns.residency()).isEqualTo(Residency.TAKING_TURNS);
        assertThat(turns.network("decoder").reducedArena()).as("alone it has room").isFalse();
        NetworkDemand large = new NetworkDemand("decoder", DECODER.weights(), 700 * MIB, 15 * MIB, DECODER.flops());
        ResidencyPlan bands = ResidencyPlan.choose(List.of(TEXT, UNET, large), "unet", 536 * MIB, 7 * MIB, Residency.RESIDENT);
        assertThat(bands.residency()).isEqualTo(Residency.RESIDENT);
        assertThat(bands.network("decoder").reducedArena()).as("alone it has no room either").isTrue();
        // 7 + 450 + the arena of the denoiser.
        assertThat(bands.peakBytes()).isEqualTo(507 * MIB);
        assertThat(bands.network("unet").reducedArena()).isFalse();
    }

    @Test
    void whatDoesNotFitSaysWhatWasNeededAndWhatToDo() {
        ResidencyPlan weights = plan(200);
        assertThat(weights.fits()).isFalse();
        assertThat(weights.residency()).isEqualTo(Residency.STREAMED);
        assertThat(weights.shortage()).hasValue("the unet needs 257.0 MiB of device memory at least (context and kernels 7.0 MiB,"
                + " weights 200.0 MiB, results 50.0 MiB), and 200.0 MiB may be used: draw a smaller picture, store the weights in 8 bits or"
                + " give more memory");
        NetworkDemand large = new NetworkDemand("decoder", DECODER.weights(), 500 * MIB, 400 * MIB, 0);
        ResidencyPlan results = ResidencyPlan.choose(List.of(UNET, large), "unet", 300 * MIB, 7 * MIB, Residency.RESIDENT);
        assertThat(results.shortage()).hasValueSatisfying(line -> assertThat(line)
                .startsWith("the decoder needs 437.0 MiB")
                .contains("results 400.0 MiB even in bands")
                .endsWith("draw a smaller picture"));
        NetworkDemand text = new NetworkDemand(NetworkNames.TEXT_ENCODER, TEXT.weights(), TEXT.arenaBytes(), 0);
        assertThat(ResidencyPlan.choose(List.of(text), text.name(), 9 * MIB, 7 * MIB, Residency.RESIDENT).shortage())
                .hasValueSatisfying(line -> assertThat(line).endsWith("compute it on the processor (--use-cpu text) or give more memory"));
    }

    @Test
    void requestsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> ResidencyPlan.choose(NETWORKS, "vae", MIB, 0, Residency.RESIDENT)).hasMessageContaining("vae");
        assertThatThrownBy(() -> ResidencyPlan.choose(List.of(UNET, UNET), "unet", MIB, 0, Residency.RESIDENT)).hasMessageContaining("name");
        assertThatThrownBy(() -> ResidencyPlan.choose(NETWORKS, "unet", -1, 0, Residency.RESIDENT)).hasMessageContaining("-1");
        assertThatThrownBy(() -> new NetworkDemand("x", List.of(), 5, 6, 0)).hasMessageContaining("reduced 6");
        assertThatThrownBy(() -> new WeightUse("x", 0, 0)).hasMessageContaining("x: 0 bytes");
        assertThatThrownBy(() -> new WeightUse("x", 1, Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new CardRates(0, 1)).hasMessageContaining("0.0 FLOP/s");
        assertThatThrownBy(() -> new Placement(-1, 256).slot()).isInstanceOf(IllegalStateException.class);
    }

    /** Any demands, any budget: whatever is on the device at one time lies apart, and each streamed weight is copied once. */
    @Test
    void nothingEverOverlaps() {
        int streaming = 0;
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            List<NetworkDemand> demands = List.of(random("a", random), random("b", random), random("c", random));
            long most = demands.stream().mapToLong(demand -> demand.weightBytes() + demand.arenaBytes()).sum();
            long budget = (long) (random.nextDouble() * most);
            long fixed = random.nextInt(1 << 20);
            ResidencyPlan plan = ResidencyPlan.choose(demands, "b", budget, fixed, Residency.values()[random.nextInt(3)]);
            String at = "seed " + seed + ", " + plan.residency();
            assertThat(plan.fits()).as(at).isEqualTo(plan.peakBytes() <= budget);
            List<long[]> blocks = new ArrayList<>();
            for (NetworkPlace network : plan.networks()) {
                List<long[]> together = pieces(network, at);
                if (plan.residency() == Residency.RESIDENT) {
                    blocks.add(new long[] {network.blockOffset(), network.blockOffset() + network.weights().blockBytes()});
                    for (NetworkPlace other : plan.networks()) {
                        together.add(new long[] {other.arenaOffset(), other.arenaOffset() + other.arenaBytes()});
                        assertApart(together, at);
                        together.remove(together.size() - 1);
                    }
                }
                together.add(new long[] {network.arenaOffset(), network.arenaOffset() + network.arenaBytes()});
                assertApart(together, at);
                assertThat(together.stream().mapToLong(piece -> piece[1]).max().orElse(0)).as(at).isLessThanOrEqualTo(plan.regionBytes());
                streaming += network.weights().units().size();
                assertThat(network.weights().units().isEmpty() || network.name().equals("b")).as(at).isTrue();
                assertThat(network.seconds(CardRates.ASSUMED)).as(at).isGreaterThanOrEqualTo(network.demand().flops() / 5e12 * 0.999999);
            }
            assertApart(blocks, at);
        }
        assertThat(streaming).as("the budgets above make some networks stream").isGreaterThan(100);
    }

    /** Resident weights and the slots; checks the units on the way. */
    private static List<long[]> pieces(NetworkPlace network, String at) {
        List<long[]> pieces = new ArrayList<>();
        List<WeightUse> weights = network.demand().weights();
        WeightPlaces places = network.weights();
        int[] copies = new int[weights.size()];
        int last = -1;
        for (int u = 0; u < places.units().size(); u++) {
            List<long[]> inSlot = new ArrayList<>();
            for (int weight : places.units().get(u).weights()) {
                Placement placement = places.placements().get(weight);
                assertThat(placement.unit()).as(at).isEqualTo(u);
                assertThat(weight).as(at).isGreaterThan(last);
                last = weight;
                copies[weight]++;
                long begin = network.weightOffset(weight);
                assertThat(begin).as(at).isEqualTo(network.slotOffset(u % 2) + placement.offset());
                inSlot.add(new long[] {begin, begin + weights.get(weight).bytes()});
                assertThat(placement.offset() + weights.get(weight).bytes()).as(at).isLessThanOrEqualTo(places.units().get(u).bytes());
            }
            assertApart(inSlot, at);
            assertThat(places.units().get(u).bytes()).as(at).isLessThanOrEqualTo(places.slotBytes());
        }
        for (int i = 0; i < weights.size(); i++) {
            boolean resident = places.placements().get(i).resident();
            assertThat(copies[i]).as(at).isEqualTo(resident ? 0 : 1);
            assertThat(network.weightOffset(i) % WeightPlaces.ALIGNMENT).as(at).isZero();
            assertThat(resident || weights.get(i).bytes() >= StreamSearch.ALWAYS_RESIDENT_BELOW).as(at).isTrue();
            if (resident) {
                pieces.add(new long[] {network.weightOffset(i), network.weightOffset(i) + weights.get(i).bytes()});
            }
        }
        pieces.add(new long[] {network.slotOffset(0), network.slotOffset(0) + places.slotBytes()});
        pieces.add(new long[] {network.slotOffset(1), network.slotOffset(1) + places.slotBytes()});
        return pieces;
    }

    private static void assertApart(List<long[]> pieces, String at) {
        List<long[]> sorted = pieces.stream().filter(piece -> piece[1] > piece[0]).sorted((a, b) -> Long.compare(a[0], b[0])).toList();
        for (int i = 1; i < sorted.size(); i++) {
            assertThat(sorted.get(i)[0]).as(at).isGreaterThanOrEqualTo(sorted.get(i - 1)[1]);
        }
    }

    private static NetworkDemand random(String name, Random random) {
        List<WeightUse> weights = new ArrayList<>();
        int count = 1 + random.nextInt(40);
        for (int i = 0; i < count; i++) {
            long bytes = 1 + random.nextInt(random.nextInt(4) == 0 ? 1000 : 1 << 22);
            weights.add(new WeightUse(name + i, bytes, random.nextInt(3) * bytes * 1e3 * random.nextDouble()));
        }
        long arena = random.nextInt(1 << 24);
        double flops = weights.stream().mapToDouble(WeightUse::flops).sum() * (1 + random.nextDouble());
        return new NetworkDemand(name, weights, arena, random.nextBoolean() ? arena : arena / 3, flops);
    }
}
