package kiln.runtime.exec.cuda;

import java.util.Objects;
import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.op.Card;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.exec.cuda.program.AttentionChoice;
import kiln.runtime.exec.cuda.program.DeviceTarget;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.plan.Residency;

/**
 * How a card is used.
 *
 * @param type of results and weights: F16, or F32 ({@code --no-half})
 * @param wideNetworks those that run in 32 bits whatever the rest does ({@code --no-half-vae})
 * @param upcastNetworks those whose results are in 32 bits, whatever their matrices are in ({@code --upcast-sampling})
 * @param int8Weights matrices in 8 bits
 * @param mostPinnedBytes of host memory that weights may be kept ready in
 */
public record CudaSettings(
        DataType type,
        Set<String> wideNetworks,
        Set<String> upcastNetworks,
        boolean int8Weights,
        AttentionChoice attention,
        MemoryBudget budget,
        Residency highest,
        long mostPinnedBytes) {
    public CudaSettings {
        Objects.requireNonNull(type, "type");
        wideNetworks = Set.copyOf(wideNetworks);
        upcastNetworks = Set.copyOf(upcastNetworks);
        Objects.requireNonNull(attention, "attention");
        Objects.requireNonNull(budget, "budget");
        Objects.requireNonNull(highest, "highest");
    }

    /**
     * From the user's options.
     *
     * @param wide whether all is in 32 bits, as {@link WeightFormat#F32} asks for too
     * @param freeBytes that slices of attention are sized by
     */
    public static CudaSettings of(DeviceOptions device, boolean wide, MemoryBudget budget, long freeBytes, long mostPinnedBytes) {
        return new CudaSettings(
                wide || device.weights() == WeightFormat.F32 ? DataType.F32 : DataType.F16,
                device.noHalfVae() ? NetworkNames.of(Set.of(NetworkPart.VAE)) : Set.of(),
                device.upcastSampling() ? NetworkNames.of(Set.of(NetworkPart.UNET)) : Set.of(),
                device.weights() == WeightFormat.INT8,
                AttentionChoice.of(device.attention(), freeBytes),
                budget,
                Residency.highest(device.memory()),
                mostPinnedBytes);
    }

    public CudaSettings(
            DataType type, Set<String> wideNetworks, boolean int8Weights, MemoryBudget budget, Residency highest, long mostPinnedBytes) {
        this(type, wideNetworks, Set.of(), int8Weights, AttentionChoice.USUAL, budget, highest, mostPinnedBytes);
    }

    /** 16 bits, all the memory there is. */
    public static final CudaSettings USUAL =
            new CudaSettings(DataType.F16, Set.of(), false, new MemoryBudget(0, 0, 0), Residency.RESIDENT, 1L << 30);

    public DeviceTarget target(Card card, String network) {
        DeviceTarget target = new DeviceTarget(card, type, int8Weights ? DataType.I8 : type, attention);
        return wideNetworks.contains(network) ? target.wide() : upcastNetworks.contains(network) ? target.upcast() : target;
    }
}
