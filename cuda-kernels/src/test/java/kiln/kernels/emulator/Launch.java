package kiln.kernels.emulator;

import java.util.Map;

/** What all blocks of a launch share. */
final class Launch {
    final DeviceMemory memory;
    final PtxKernel kernel;
    final Dim3 grid;
    final Dim3 block;
    final int dynamicSharedBytes;
    final int sharedBytes;
    final byte[] parameters;
    final EmulatorChecks checks;
    final boolean[] preset32;
    final boolean[] preset64;
    private final Map<String, Long> addresses;

    Launch(DeviceMemory memory, PtxKernel kernel, Dim3 grid, Dim3 block, int dynamicSharedBytes, byte[] parameters, EmulatorChecks checks,
            Map<String, Long> addresses) {
        this.memory = memory;
        this.kernel = kernel;
        this.grid = grid;
        this.block = block;
        this.dynamicSharedBytes = dynamicSharedBytes;
        this.parameters = parameters;
        this.checks = checks;
        this.addresses = addresses;
        this.sharedBytes = dynamicSharedBytes == 0
                ? kernel.staticSharedBytes : KernelBuilder.aligned(kernel.staticSharedBytes, 16) + dynamicSharedBytes;
        preset32 = new boolean[kernel.registers32];
        preset64 = new boolean[kernel.registers64];
        for (PtxKernel.Preset preset : kernel.presets) {
            (preset.wide() ? preset64 : preset32)[preset.index()] = true;
        }
    }

    long addressOf(Variable variable) {
        return addresses.get(variable.name());
    }
}
