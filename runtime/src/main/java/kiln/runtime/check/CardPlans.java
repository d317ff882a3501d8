package kiln.runtime.check;

import java.util.List;
import java.util.Objects;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.plan.CardRates;

/**
 * A request's plan for a card, with those of other sizes for comparison.
 *
 * @param card whose free memory is the budget; {@code null} when the plan is for one that need not be there
 * @param weights what they are kept in
 * @param budget where the limit comes from
 * @param rates that times are predicted with
 */
public record CardPlans(CardFindings.Card card, WeightFormat weights, Budget budget, Rates rates, CardPlan asked, List<CardPlan> others) {
    /**
     * What may be used of a card's memory.
     *
     * @param bytes in all, before what is left to others; {@link #NO_LIMIT} where nothing was said
     * @param assumed whether nobody stated it
     * @param headroomBytes left to other programs
     * @param marginBytes left for the driver's rounding
     */
    public record Budget(long bytes, boolean assumed, long headroomBytes, long marginBytes) {
        public static final long NO_LIMIT = Long.MAX_VALUE;

        public boolean isLimit() {
            return bytes != NO_LIMIT;
        }

        long usableBytes() {
            return isLimit() ? Math.max(0, bytes - headroomBytes - marginBytes) : NO_LIMIT;
        }
    }

    /**
     * How fast a card computes and is fed.
     *
     * @param flopsPerSecond reached in a network's run, not the card's peak
     * @param busBytesPerSecond from pinned host memory
     */
    public record Rates(double flopsPerSecond, double busBytesPerSecond) {
        /** Of a middling card, for plans made without a card. */
        public static final Rates ASSUMED = new Rates(CardRates.ASSUMED.flopsPerSecond(), CardRates.ASSUMED.busBytesPerSecond());

        CardRates forPlan() {
            return new CardRates(flopsPerSecond, busBytesPerSecond);
        }
    }

    public CardPlans {
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(budget, "budget");
        Objects.requireNonNull(rates, "rates");
        Objects.requireNonNull(asked, "asked");
        others = List.copyOf(others);
    }
}
