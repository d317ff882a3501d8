package kiln.kernels;

import kiln.kernels.ptx.Target;

/**
 * One kernel, specialised by the data of its record: equal kernels have equal text, so modules can be kept by kernel.
 *
 * <p>Immutable; any thread.
 */
public interface Kernel {
    /** The entry's name in the text, and the kernel's in tables: "attention". */
    String name();

    /** What distinguishes this text from the kernel's other ones: "f16 hd40". */
    String variant();

    /** The module's text; holds {@link #name} as its one entry. */
    String ptx();

    /** The cards that run it. */
    default Target target() {
        return Target.FLOOR;
    }

    /** Threads of a block, all along x. */
    int threads();

    /** Shared memory of a block that its text declares without a size ({@code .extern .shared}), beside what it declares with one. */
    default int dynamicSharedBytes() {
        return 0;
    }

    /** The most registers that a thread may take on any card, checked by assembling. */
    int registerBudget();
}
