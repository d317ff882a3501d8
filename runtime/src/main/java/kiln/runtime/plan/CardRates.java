package kiln.runtime.plan;

/**
 * How fast a card computes and is fed, for predictions.
 *
 * @param flopsPerSecond reached in a network's run, not the card's peak
 * @param busBytesPerSecond from pinned host memory
 */
public record CardRates(double flopsPerSecond, double busBytesPerSecond) {
    /** A middling card on PCIe 3.0 with 16 lanes, for plans made without a card. */
    public static final CardRates ASSUMED = new CardRates(5e12, 12e9);

    public CardRates {
        if (!(flopsPerSecond > 0) || !(busBytesPerSecond > 0)) {
            throw new IllegalArgumentException(flopsPerSecond + " FLOP/s, " + busBytesPerSecond + " bytes/s");
        }
    }
}
