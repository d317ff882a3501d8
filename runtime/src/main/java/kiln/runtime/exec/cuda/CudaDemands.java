package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.kernels.op.Card;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.program.ProgramChoice;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.exec.cuda.residence.NetworkPrograms;
import kiln.runtime.graph.Graph;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkNames;

/**
 * What networks ask of a card, counted from the programs that would run there: {@link CudaExecutor} plans by the same numbers. Shapes are
 * enough: no card is needed, nothing is allocated and no weight is read.
 */
public final class CudaDemands {
    /** What is assumed where there is no card: small cards that many have. The choice of kernels makes a difference of few MiB. */
    public static final Card ASSUMED_CARD = Card.of(61);

    /** Networks that run once a picture: it is better that they take longer than that there is no picture. */
    private static final Set<String> IN_BANDS = Set.of(NetworkNames.ENCODER, NetworkNames.DECODER);

    private final Card card;
    private final Set<String> onCpu;
    private final CudaSettings settings;

    /**
     * @param device what weights are kept in, and which networks the CPU computes
     * @param wide whether all is in 32 bits
     */
    public CudaDemands(Card card, DeviceOptions device, boolean wide) {
        this.card = card;
        onCpu = NetworkNames.of(device.cpuParts());
        settings = CudaSettings.of(device, wide, new MemoryBudget(0, 0, 0), device.vramBudgetBytes(), 0);
    }

    static ProgramChoice program(String network, Graph unfused, DeviceTarget target, DeviceLibraries libraries) {
        return ProgramChoice.of(unfused, target, libraries, IN_BANDS.contains(network));
    }

    private NetworkDemand of(String network, Graph unfused) {
        NetworkPrograms programs = new NetworkPrograms(network);
        programs.add(program(network, unfused, settings.target(card, network), DeviceLibraries.none()));
        return programs.demand();
    }

    /**
     * What these networks ask for, without those that the CPU computes.
     *
     * @param networks unfused, by name, in the order of their turns
     */
    public List<NetworkDemand> of(Map<String, Graph> networks) {
        List<NetworkDemand> demands = new ArrayList<>();
        networks.forEach((name, graph) -> {
            if (!onCpu.contains(name)) {
                demands.add(of(name, graph));
            }
        });
        return demands;
    }
}
