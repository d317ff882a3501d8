package kiln.kernels.emulator;

/**
 * A decoded instruction.
 *
 * @param guard     predicate register, complemented (~) if negated; looked at only if {@code guarded}
 * @param operation for {@link Flow#NEXT}
 * @param target    of a branch
 * @param barrier   of a barrier
 * @param use       registers, the guard apart
 */
record Instruction(int line, String text, boolean guarded, int guard, Flow flow, Operation operation, int target, Barrier barrier,
        RegisterUse use) {
    enum Flow { NEXT, BRANCH, EXIT, BARRIER }

    /**
     * Operands of a barrier, as numbers of 32-bit registers.
     *
     * @param threads -1: all threads of the block
     * @param aligned whether all threads of a warp must come to it together
     * @param waits   false for bar.arrive
     */
    record Barrier(int id, int threads, boolean aligned, boolean waits) { }
}
