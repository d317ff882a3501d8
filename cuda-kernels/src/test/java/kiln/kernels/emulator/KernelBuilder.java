package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Gives out register numbers, constants and memory while a kernel is decoded. */
final class KernelBuilder {
    private int registers32;
    private int registers64;
    private int predicates;
    private int sharedBytes;
    private int localBytes;
    private int maximumThreads = 1024;
    private int sharedGrainShift = 2;
    private boolean usesDynamicShared;
    private int sink32 = -1;
    private int sink64 = -1;
    private int sinkPredicate = -1;
    private int falsePredicate = -1;
    private final List<PtxKernel.Preset> presets = new ArrayList<>();
    private final Map<Integer, Integer> constants32 = new HashMap<>();
    private final Map<Long, Integer> constants64 = new HashMap<>();
    private final Map<SpecialRegister, Integer> specials = new HashMap<>();
    private final Map<String, Integer> addresses = new HashMap<>();

    int index(Register register) {
        if (register.index < 0) {
            register.index = register.type == PtxType.PRED ? predicates++ : register.type.bits == 64 ? registers64++ : registers32++;
        }
        return register.index;
    }

    int constant32(int value) {
        return constants32.computeIfAbsent(value, v -> preset(new PtxKernel.Preset(registers32++, false, v, null, null)));
    }

    int constant64(long value) {
        return constants64.computeIfAbsent(value, v -> preset(new PtxKernel.Preset(registers64++, true, v, null, null)));
    }

    int special(SpecialRegister special) {
        return specials.computeIfAbsent(special, s -> preset(new PtxKernel.Preset(registers32++, false, 0, s, null)));
    }

    /** A 64-bit register with the address of a module variable plus an offset. */
    int moduleAddress(Variable variable, long offset) {
        return addresses.computeIfAbsent(variable.name() + "+" + offset,
                key -> preset(new PtxKernel.Preset(registers64++, true, offset, null, variable)));
    }

    private int preset(PtxKernel.Preset preset) {
        presets.add(preset);
        return preset.index();
    }

    int sink32() {
        return sink32 < 0 ? sink32 = registers32++ : sink32;
    }

    int sink64() {
        return sink64 < 0 ? sink64 = registers64++ : sink64;
    }

    int sinkPredicate() {
        return sinkPredicate < 0 ? sinkPredicate = predicates++ : sinkPredicate;
    }

    /** A predicate that nothing writes; predicates begin as false. */
    int falsePredicate() {
        return falsePredicate < 0 ? falsePredicate = predicates++ : falsePredicate;
    }

    int reserveShared(int bytes, int alignment) {
        int offset = aligned(sharedBytes, alignment);
        sharedBytes = offset + bytes;
        return offset;
    }

    int dynamicShared(int alignment) {
        usesDynamicShared = true;
        return aligned(sharedBytes, Math.max(alignment, 16));
    }

    int reserveLocal(int bytes, int alignment) {
        int offset = aligned(localBytes, alignment);
        localBytes = offset + bytes;
        return offset;
    }

    void sharedAccess(int bytes) {
        sharedGrainShift = Math.min(sharedGrainShift, bytes == 1 ? 0 : bytes == 2 ? 1 : 2);
    }

    void maximumThreads(int threads) {
        maximumThreads = threads;
    }

    static int aligned(int value, int alignment) {
        return (value + alignment - 1) / alignment * alignment;
    }

    int registers32() {
        return registers32;
    }

    int registers64() {
        return registers64;
    }

    int predicates() {
        return predicates;
    }

    List<PtxKernel.Preset> presets() {
        return presets;
    }

    int staticSharedBytes() {
        return sharedBytes;
    }

    boolean usesDynamicShared() {
        return usesDynamicShared;
    }

    int localBytes() {
        return localBytes;
    }

    int maximumThreads() {
        return maximumThreads;
    }

    int sharedGrainShift() {
        return sharedGrainShift;
    }
}
