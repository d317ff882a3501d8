package kiln.kernels.emulator;

import java.util.List;

/** A decoded {@code .entry}. */
public final class PtxKernel {
    /** A kernel parameter's place in the parameter block. */
    public record Parameter(String name, int offset, int bytes) { }

    /** A register that holds a value before the kernel begins: a constant, a special register, or the address of a module variable. */
    record Preset(int index, boolean wide, long value, SpecialRegister special, Variable variable) { }

    final String name;
    final List<Parameter> parameters;
    final int parameterBytes;
    final Instruction[] code;
    final int registers32;
    final int registers64;
    final int predicates;
    final List<Preset> presets;
    final int staticSharedBytes;
    final boolean usesDynamicShared;
    final int localBytes;
    final int maximumThreads;
    /** 0, 1 or 2: the smallest shared access of this kernel is 1, 2 or 4 bytes; races are watched at this grain. */
    final int sharedGrainShift;

    PtxKernel(String name, List<Parameter> parameters, int parameterBytes, Instruction[] code, KernelBuilder builder) {
        this.name = name;
        this.parameters = List.copyOf(parameters);
        this.parameterBytes = parameterBytes;
        this.code = code;
        this.registers32 = builder.registers32();
        this.registers64 = builder.registers64();
        this.predicates = builder.predicates();
        this.presets = List.copyOf(builder.presets());
        this.staticSharedBytes = builder.staticSharedBytes();
        this.usesDynamicShared = builder.usesDynamicShared();
        this.localBytes = builder.localBytes();
        this.maximumThreads = builder.maximumThreads();
        this.sharedGrainShift = builder.sharedGrainShift();
    }

    public String name() {
        return name;
    }

    public List<Parameter> parameters() {
        return parameters;
    }

    /** Size of the block that {@link PtxEmulator#launchPacked} takes. */
    public int parameterBytes() {
        return parameterBytes;
    }

    public int staticSharedBytes() {
        return staticSharedBytes;
    }

    /** Bytes of local memory of a thread. */
    public int localBytes() {
        return localBytes;
    }

    /** Product of {@code .maxntid}; 1024 without it. */
    public int maximumThreads() {
        return maximumThreads;
    }
}
