package kiln.kernels.emulator;

/** A decoded instruction's work on the lanes of a warp whose bits are set in {@code mask} (never 0). */
@FunctionalInterface
interface Operation {
    void execute(Warp warp, int mask);
}
