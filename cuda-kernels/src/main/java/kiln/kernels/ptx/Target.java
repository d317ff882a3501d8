package kiln.kernels.ptx;

/**
 * What cards a text is for.
 *
 * @param capability compute capability, times ten: 86 for sm_86
 * @param exact only cards of this very capability, with the instructions that later ones do not promise to have: sm_90a; otherwise this one
 *     and all later ones
 */
public record Target(int capability, boolean exact) {
    /** The lowest: Maxwell. */
    public static final Target FLOOR = new Target(50, false);

    public Target {
        if (capability < 50) {
            throw new IllegalArgumentException("sm_" + capability + " is below the floor, sm_50");
        }
        if (exact && capability < 90) {
            throw new IllegalArgumentException("sm_" + capability + "a: there are exact targets from sm_90a on");
        }
    }

    /** That capability and all later ones. */
    public static Target from(int capability) {
        return new Target(capability, false);
    }

    /** @param capability the card's, times ten */
    public boolean runsOn(int capability) {
        return exact ? capability == this.capability : capability >= this.capability;
    }

    /** As PTX and the assembler name it: "sm_90a". */
    @Override
    public String toString() {
        return "sm_" + capability + (exact ? "a" : "");
    }
}
