package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import kiln.runtime.base.ByteSize;

/**
 * Which weights stay on a device of limited memory, and where everything lies there. Pure data: no device is needed.
 *
 * <p>The highest residency that fits is chosen; networks run in their reduced way only where a residency does not fit otherwise, and taking
 * turns does not help. Peak bytes by residency:
 *
 * <ul>
 *   <li>{@link Residency#RESIDENT}: fixed + all weights + the largest arena
 *   <li>{@link Residency#TAKING_TURNS}: fixed + the most of one network's weights and arena
 *   <li>{@link Residency#STREAMED}: the same, and of one network only those weights stay that there is room for
 * </ul>
 */
public final class ResidencyPlan {
    /**
     * What a context and the kernels take where none was measured. Contexts of the driver API alone take 50–110 MiB on the 2–4 GB cards
     * that plans are made for, and more on cards with more multiprocessors.
     */
    public static final long ASSUMED_CONTEXT_BYTES = 110L << 20;
    /**
     * What plans for a stated amount of memory leave unused: the driver rounds allocations up to 2 MiB and backs the kernels' local memory.
     */
    public static final long MARGIN_BYTES = 32L << 20;

    private final List<NetworkDemand> demands;
    private final String streamed;
    private final long budgetBytes;
    private final long fixedBytes;
    private final CardRates rates;
    private final Residency residency;
    private final List<NetworkPlace> networks;

    private ResidencyPlan(
            List<NetworkDemand> demands, String streamed, long budgetBytes, long fixedBytes, CardRates rates, Residency residency) {
        this.demands = demands;
        this.streamed = streamed;
        this.budgetBytes = budgetBytes;
        this.fixedBytes = fixedBytes;
        this.rates = rates;
        this.residency = residency;
        networks = residency == Residency.RESIDENT ? sideBySide() : byTurns();
    }

    /** A plan for the card that {@link CardRates#ASSUMED} describes. */
    public static ResidencyPlan choose(
            List<NetworkDemand> networks, String streamed, long budgetBytes, long fixedBytes, Residency highest) {
        return choose(networks, streamed, budgetBytes, fixedBytes, highest, CardRates.ASSUMED);
    }

    /**
     * @param streamed the network whose weights may be streamed: the one that runs at every step
     * @param budgetBytes what may be used in all
     * @param fixedBytes of the context and the kernels, part of the budget
     * @param highest the highest residency to consider
     * @param rates decide which weights are streamed when not all stay
     * @return a plan that fits, or one of the lowest residency that does not and says so
     */
    public static ResidencyPlan choose(
            List<NetworkDemand> networks, String streamed, long budgetBytes, long fixedBytes, Residency highest, CardRates rates) {
        List<NetworkDemand> demands = List.copyOf(networks);
        if (demands.stream().noneMatch(demand -> demand.name().equals(streamed))) {
            throw new IllegalArgumentException("no network is called " + streamed);
        }
        if (demands.stream().map(NetworkDemand::name).distinct().count() < demands.size()) {
            throw new IllegalArgumentException("two networks of one name");
        }
        if (budgetBytes < 0 || fixedBytes < 0) {
            throw new IllegalArgumentException("a budget of " + budgetBytes + " bytes, " + fixedBytes + " of them fixed");
        }
        Objects.requireNonNull(rates, "rates");
        ResidencyPlan plan = new ResidencyPlan(demands, streamed, budgetBytes, fixedBytes, rates, highest);
        while (!plan.fits() && plan.residency.lower().isPresent()) {
            plan = plan.lower().orElseThrow();
        }
        if (plan.residency == Residency.RESIDENT && plan.reduces()) {
            // Weights that come once a picture take less time than results that go back and forth.
            ResidencyPlan turns = plan.lower().orElseThrow();
            return turns.fits() && !turns.reduces() ? turns : plan;
        }
        return plan;
    }

    private boolean reduces() {
        return networks.stream().anyMatch(NetworkPlace::reducedArena);
    }

    /** All blocks one after another, behind them one arena for all. */
    private List<NetworkPlace> sideBySide() {
        List<WeightPlaces> places = demands.stream().map(demand -> WeightPlaces.resident(demand.weights())).toList();
        long weights = places.stream().mapToLong(WeightPlaces::bytes).sum();
        List<NetworkPlace> all = new ArrayList<>();
        long at = 0;
        for (int i = 0; i < demands.size(); i++) {
            long end = at + places.get(i).bytes();
            boolean reduced = mustReduce(demands.get(i), weights);
            all.add(new NetworkPlace(demands.get(i), places.get(i), reduced, at, end, weights));
            at = end;
        }
        return List.copyOf(all);
    }

    /** Each network from the region's start. */
    private List<NetworkPlace> byTurns() {
        List<NetworkPlace> all = new ArrayList<>();
        for (NetworkDemand demand : demands) {
            boolean streams = residency == Residency.STREAMED && demand.name().equals(streamed);
            all.add(streams ? streamedPlace(demand) : place(demand, WeightPlaces.resident(demand.weights())));
        }
        return List.copyOf(all);
    }

    private NetworkPlace streamedPlace(NetworkDemand demand) {
        StreamSearch search = new StreamSearch(demand);
        Optional<WeightPlaces> places = search.fastest(room() - WeightPlaces.aligned(demand.arenaBytes()), rates)
                .or(() -> search.fastest(room() - WeightPlaces.aligned(demand.reducedArenaBytes()), rates));
        return place(demand, places.orElseGet(search::smallest));
    }

    private NetworkPlace place(NetworkDemand demand, WeightPlaces places) {
        return new NetworkPlace(demand, places, mustReduce(demand, places.bytes()), 0, places.blockBytes(), places.bytes());
    }

    private boolean mustReduce(NetworkDemand demand, long weightBytes) {
        return demand.reducedArenaBytes() < demand.arenaBytes() && WeightPlaces.aligned(demand.arenaBytes()) > room() - weightBytes;
    }

    private long room() {
        return budgetBytes - fixedBytes;
    }

    public Residency residency() {
        return residency;
    }

    public boolean fits() {
        return peakBytes() <= budgetBytes;
    }

    /** What may be used, fixed bytes included. */
    public long budgetBytes() {
        return budgetBytes;
    }

    /** Of the context and the kernels. */
    public long fixedBytes() {
        return fixedBytes;
    }

    /** The most that is in use at one time: {@link #fixedBytes()} + {@link #weightsBytes()} + {@link #activationBytes()}. */
    public long peakBytes() {
        return fixedBytes + regionBytes();
    }

    /** What to allocate beside the fixed bytes: all offsets count from its start. */
    public long regionBytes() {
        return end(largest());
    }

    /** Of weights at the peak: blocks and slots. */
    public long weightsBytes() {
        return largest().arenaOffset();
    }

    /** Of results, and what the kernels need beside them, at the peak. */
    public long activationBytes() {
        return largest().arenaBytes();
    }

    /** The network that the peak is reached with. */
    public NetworkPlace largest() {
        return networks.stream().max(Comparator.comparingLong(ResidencyPlan::end)).orElseThrow();
    }

    private static long end(NetworkPlace network) {
        return network.arenaOffset() + network.arenaBytes();
    }

    /** In the order of the demands. */
    public List<NetworkPlace> networks() {
        return networks;
    }

    /** @throws IllegalArgumentException when there is none of that name */
    public NetworkPlace network(String name) {
        return networks.stream()
                .filter(network -> network.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no network is called " + name));
    }

    /** The network that may be streamed. */
    public NetworkPlace streamedNetwork() {
        return network(streamed);
    }

    public Placement placementOf(String network, int weight) {
        return network(network).weights().placements().get(weight);
    }

    /** What crosses the bus at every step; 0 when everything that a step reads stays. */
    public long streamedBytesPerStep() {
        return streamedNetwork().weights().streamedBytes();
    }

    /** What crosses the bus each time that all networks have had their turn, the streamed weights not counted; 0 when all stay. */
    public long turnBytes() {
        boolean turns = residency != Residency.RESIDENT && networks.size() > 1;
        return turns ? networks.stream().mapToLong(network -> network.weights().blockBytes()).sum() : 0;
    }

    /** Predicted time of one run of the streamed network. */
    public double stepSeconds(CardRates rates) {
        return streamedNetwork().seconds(rates);
    }

    /** The plan of the next lower residency, whether it fits or not; empty below {@link Residency#STREAMED}. */
    public Optional<ResidencyPlan> lower() {
        return residency.lower().map(lower -> new ResidencyPlan(demands, streamed, budgetBytes, fixedBytes, rates, lower));
    }

    /** Chosen anew for less (or more) memory, no higher than this plan's residency. */
    public ResidencyPlan withBudget(long bytes) {
        return choose(demands, streamed, bytes, fixedBytes, residency, rates);
    }

    /** Why it does not fit, in one line that says what to do; empty when it fits. */
    public Optional<String> shortage() {
        if (fits()) {
            return Optional.empty();
        }
        NetworkPlace network = largest();
        return Optional.of(String.format(
                "the %s needs %s of device memory at least (context and kernels %s, weights %s, results %s%s), and %s may be used:"
                        + " %s",
                network.name(),
                ByteSize.format(peakBytes()),
                ByteSize.format(fixedBytes),
                ByteSize.format(weightsBytes()),
                ByteSize.format(activationBytes()),
                network.reducedArena() ? " even in bands" : "",
                ByteSize.format(budgetBytes),
                remedy(network)));
    }

    private String remedy(NetworkPlace network) {
        if (network.name().equals(NetworkNames.TEXT_ENCODER)) {
            // Its weights alone are what it needs: no picture is small enough.
            return "compute it on the processor (--use-cpu text) or give more memory";
        }
        return "draw a smaller picture" + (activationBytes() > weightsBytes() ? "" : ", store the weights in 8 bits or give more memory");
    }
}
