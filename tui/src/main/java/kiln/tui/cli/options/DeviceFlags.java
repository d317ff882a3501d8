package kiln.tui.cli.options;

import java.util.Locale;
import kiln.runtime.base.AttentionKind;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.base.MemoryMode;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.check.CardFindings;
import picocli.CommandLine.Option;

/** Options that say how to use a graphics card, named as A1111 names them where it has them; the CPU heeds none of them. */
public final class DeviceFlags {
    @Option(
            names = "--device-id",
            paramLabel = "DEVICE",
            description = "A card's index or the beginning of its UUID (kiln doctor lists both). Default: the one with the most free memory.")
    String device;

    @Option(names = "--vram-budget", paramLabel = "SIZE", description = "Take at most this much of its memory: 1700M, 1.7G. Default: what is free.")
    String vramBudget;

    @Option(names = "--vram-headroom", paramLabel = "SIZE", description = "Leave this much of it to other programs. Default: 0.")
    String vramHeadroom;

    @Option(names = "--medvram", description = "Text encoder, denoiser and decoder take turns on the card. Not needed: done when memory is short.")
    boolean medvram;

    @Option(names = "--lowvram", description = "The denoiser's weights are streamed as well. Not needed: done when memory is short.")
    boolean lowvram;

    @Option(
            names = "--weights",
            paramLabel = "FORMAT",
            completionCandidates = Choices.WeightFormats.class,
            description = "What weights are kept in on the card: f16, int8 or f32. Default: f16, f32 with --no-half.")
    String weights;

    @Option(names = "--no-half-vae", description = "Decode in f32.")
    boolean noHalfVae;

    @Option(names = "--upcast-sampling", description = "Keep the denoiser's results in f32, with f16 matrices.")
    boolean upcastSampling;

    @Option(names = "--xformers", description = "Memory-efficient attention. Default: the best for card and size.")
    boolean xformers;

    @Option(names = "--force-enable-xformers", hidden = true, description = "As --xformers.")
    boolean forceEnableXformers;

    @Option(names = "--opt-split-attention", description = "Attention in slices sized by free memory.")
    boolean splitAttention;

    @Option(names = "--opt-split-attention-v1", description = "Attention in slices of heads.")
    boolean splitAttentionV1;

    @Option(names = "--opt-split-attention-invokeai", hidden = true, description = "As --opt-split-attention.")
    boolean splitAttentionInvokeAi;

    @Option(names = "--opt-sub-quad-attention", hidden = true, description = "As --xformers.")
    boolean subQuadraticAttention;

    @Option(names = "--opt-sdp-attention", hidden = true, description = "As --xformers.")
    boolean sdpAttention;

    @Option(names = "--opt-sdp-no-mem-attention", hidden = true, description = "As --xformers: it is deterministic here anyway.")
    boolean sdpNoMemAttention;

    @Option(names = "--disable-opt-split-attention", description = "Attention with the whole matrix of scores.")
    boolean disableSplitAttention;

    @Option(
            names = "--gemm",
            paramLabel = "GEMM",
            completionCandidates = Choices.GemmLibraries.class,
            description = "Who multiplies matrices: auto, ptx (Kiln) or cublas. Default: auto.")
    String gemm = "auto";

    @Option(
            names = "--conv",
            paramLabel = "CONV",
            completionCandidates = Choices.ConvolutionLibraries.class,
            description = "Who convolves: auto, ptx (Kiln) or cudnn. Default: auto.")
    String convolution = "auto";

    /**
     * @param compute the options beside these
     * @throws KilnException BAD_REQUEST when a value is not possible or two contradict each other
     */
    DeviceOptions options(ComputeOptions compute) {
        DeviceOptions options = DeviceOptions.builder()
                .device(device())
                .vramBudgetBytes(bytes("--vram-budget", vramBudget))
                .vramHeadroomBytes(bytes("--vram-headroom", vramHeadroom))
                .memory(lowvram ? MemoryMode.LOWVRAM : medvram ? MemoryMode.MEDVRAM : MemoryMode.AUTO)
                .attention(attention())
                .gemm(library("--gemm", gemm, "cublas"))
                .convolution(library("--conv", convolution, "cudnn"))
                .weights(weights(compute))
                .noHalfVae(noHalfVae)
                .upcastSampling(upcastSampling)
                .cpuParts(compute.cpuParts())
                .lowram(compute.lowram)
                .build();
        if (options.isCpuOnly() && compute.executor().equals("cuda")) {
            throw KilnException.badRequest("--executor cuda and --use-cpu all contradict each other");
        }
        return options;
    }

    /** Whether anything was said of how much of a card's memory may be used. */
    public boolean limitMemory() {
        return vramBudget != null || vramHeadroom != null || weights != null || medvram || lowvram;
    }

    private String device() {
        if (device == null) {
            return null;
        }
        String text = device.strip();
        if (!CardFindings.isIndexOrUuid(text)) {
            throw KilnException.badRequest("--device-id '" + device + "' is neither an index, as 0, nor a UUID, as GPU-8a56 (kiln doctor lists them)");
        }
        return text;
    }

    private static long bytes(String option, String text) {
        try {
            return text == null ? 0 : ByteSize.parse(text);
        } catch (IllegalArgumentException e) {
            throw KilnException.badRequest(option + " " + e.getMessage());
        }
    }

    /**
     * A1111's order: no optimisation at all goes first, then xformers, Doggettx' slices, torch's two, sub-quadratic, slices of heads,
     * InvokeAI's slices; without a flag the best one.
     */
    private AttentionKind attention() {
        if (disableSplitAttention) {
            return AttentionKind.WHOLE;
        }
        if (xformers || forceEnableXformers) {
            return AttentionKind.MEMORY_EFFICIENT;
        }
        if (splitAttention) {
            return AttentionKind.SPLIT;
        }
        if (sdpNoMemAttention || sdpAttention || subQuadraticAttention) {
            return AttentionKind.MEMORY_EFFICIENT;
        }
        if (splitAttentionV1) {
            return AttentionKind.SPLIT_V1;
        }
        return splitAttentionInvokeAi ? AttentionKind.SPLIT : AttentionKind.AUTO;
    }

    private static LibraryChoice library(String option, String text, String nvidia) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "auto" -> LibraryChoice.AUTO;
            case "ptx" -> LibraryChoice.PTX;
            default -> {
                if (!text.equalsIgnoreCase(nvidia)) {
                    throw KilnException.badRequest(option + " '" + text + "' is unknown: give auto, ptx or " + nvidia);
                }
                yield LibraryChoice.NVIDIA;
            }
        };
    }

    private WeightFormat weights(ComputeOptions compute) {
        if (weights == null) {
            return compute.noHalf ? WeightFormat.F32 : WeightFormat.F16;
        }
        WeightFormat format = switch (weights.toLowerCase(Locale.ROOT)) {
            case "f16", "fp16", "float16", "half" -> WeightFormat.F16;
            case "f32", "fp32", "float32", "full" -> WeightFormat.F32;
            case "int8", "i8", "q8" -> WeightFormat.INT8;
            default -> throw KilnException.badRequest("--weights '" + weights + "' is unknown: give f16, int8 or f32");
        };
        if (compute.noHalf && format != WeightFormat.F32) {
            throw KilnException.badRequest("--no-half and --weights " + weights + " contradict each other");
        }
        return format;
    }
}
