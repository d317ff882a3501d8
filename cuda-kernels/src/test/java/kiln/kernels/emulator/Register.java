package kiln.kernels.emulator;

/** A declared register; its place in the register file is given at its first use, so that unused ones cost nothing. */
final class Register {
    final String name;
    final PtxType type;
    int index = -1;

    Register(String name, PtxType type) {
        this.name = name;
        this.type = type;
    }
}
