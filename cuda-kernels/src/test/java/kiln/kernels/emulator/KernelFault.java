package kiln.kernels.emulator;

/** What a kernel did wrong while it ran; the message names the kernel, the line of its PTX, the block and the thread. */
public final class KernelFault extends RuntimeException {
    KernelFault(String message) {
        super(message);
    }
}
