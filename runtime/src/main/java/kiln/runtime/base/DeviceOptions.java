package kiln.runtime.base;

import java.util.Objects;
import java.util.Set;

/**
 * How to use a graphics card, and memory where the CPU computes. Immutable.
 *
 * @param device its index, or the beginning of its UUID as {@code nvidia-smi -L} prints it; {@code null} for the one with the most free
 *     memory
 * @param vramBudgetBytes the most that Kiln may take of the card's memory, its context included; 0 for what is free
 * @param vramHeadroomBytes what it leaves free for other programs
 * @param memory how much of a model may stay on the card
 * @param gemm who multiplies matrices: NVIDIA means cuBLAS
 * @param convolution who convolves: NVIDIA means cuDNN
 * @param weights what the card keeps weights in
 * @param noHalfVae whether the decoder is computed, and its weights are kept, in f32
 * @param upcastSampling whether the denoiser's results are f32 while its matrices are f16
 * @param cpuParts networks that the CPU computes all the same
 * @param lowram whether weights that the file has in 16 bits stay so in the machine's memory where the CPU computes in 32; cards do not
 *     heed it
 */
public record DeviceOptions(
        String device,
        long vramBudgetBytes,
        long vramHeadroomBytes,
        MemoryMode memory,
        AttentionKind attention,
        LibraryChoice gemm,
        LibraryChoice convolution,
        WeightFormat weights,
        boolean noHalfVae,
        boolean upcastSampling,
        Set<NetworkPart> cpuParts,
        boolean lowram) {
    /** The card with the most free memory, all of it, every choice left to Kiln. */
    public static final DeviceOptions DEFAULT = new DeviceOptions(
            null, 0, 0, MemoryMode.AUTO, AttentionKind.AUTO, LibraryChoice.AUTO, LibraryChoice.AUTO, WeightFormat.F16, false, false,
            Set.of(), false);

    public DeviceOptions {
        if (device != null && device.isBlank()) {
            throw new IllegalArgumentException("a blank device");
        }
        if (vramBudgetBytes < 0 || vramHeadroomBytes < 0) {
            throw new IllegalArgumentException("negative: budget " + vramBudgetBytes + ", headroom " + vramHeadroomBytes);
        }
        Objects.requireNonNull(memory, "memory");
        Objects.requireNonNull(attention, "attention");
        Objects.requireNonNull(gemm, "gemm");
        Objects.requireNonNull(convolution, "convolution");
        Objects.requireNonNull(weights, "weights");
        cpuParts = Set.copyOf(cpuParts);
    }

    /** Whether nothing is left for the card to compute. */
    public boolean isCpuOnly() {
        return cpuParts.size() == NetworkPart.values().length;
    }

    public static Builder builder() {
        return DEFAULT.toBuilder();
    }

    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Makes options that differ from others. Not thread-safe. */
    public static final class Builder {
        private String device;
        private long vramBudgetBytes;
        private long vramHeadroomBytes;
        private MemoryMode memory;
        private AttentionKind attention;
        private LibraryChoice gemm;
        private LibraryChoice convolution;
        private WeightFormat weights;
        private boolean noHalfVae;
        private boolean upcastSampling;
        private Set<NetworkPart> cpuParts;
        private boolean lowram;

        private Builder(DeviceOptions from) {
            device = from.device;
            vramBudgetBytes = from.vramBudgetBytes;
            vramHeadroomBytes = from.vramHeadroomBytes;
            memory = from.memory;
            attention = from.attention;
            gemm = from.gemm;
            convolution = from.convolution;
            weights = from.weights;
            noHalfVae = from.noHalfVae;
            upcastSampling = from.upcastSampling;
            cpuParts = from.cpuParts;
            lowram = from.lowram;
        }

        public Builder device(String value) {
            device = value;
            return this;
        }

        public Builder vramBudgetBytes(long value) {
            vramBudgetBytes = value;
            return this;
        }

        public Builder vramHeadroomBytes(long value) {
            vramHeadroomBytes = value;
            return this;
        }

        public Builder memory(MemoryMode value) {
            memory = value;
            return this;
        }

        public Builder attention(AttentionKind value) {
            attention = value;
            return this;
        }

        public Builder gemm(LibraryChoice value) {
            gemm = value;
            return this;
        }

        public Builder convolution(LibraryChoice value) {
            convolution = value;
            return this;
        }

        public Builder weights(WeightFormat value) {
            weights = value;
            return this;
        }

        public Builder noHalfVae(boolean value) {
            noHalfVae = value;
            return this;
        }

        public Builder upcastSampling(boolean value) {
            upcastSampling = value;
            return this;
        }

        public Builder cpuParts(Set<NetworkPart> value) {
            cpuParts = value;
            return this;
        }

        public Builder lowram(boolean value) {
            lowram = value;
            return this;
        }

        public DeviceOptions build() {
            return new DeviceOptions(
                    device, vramBudgetBytes, vramHeadroomBytes, memory, attention, gemm, convolution, weights, noHalfVae, upcastSampling,
                    cpuParts, lowram);
        }
    }
}
