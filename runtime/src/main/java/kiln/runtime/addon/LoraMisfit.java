package kiln.runtime.addon;

/** A module's parts do not fit each other or the weight; whoever knows the file makes a person's line of it. */
final class LoraMisfit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LoraMisfit(String reason) {
        super(reason);
    }
}
