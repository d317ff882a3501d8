package kiln.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A bus of 256 bytes and a card of 1 FLOP a second, so that a unit's copy takes a second for each 256 bytes. */
class StreamTimingTest {
    private static final CardRates RATES = new CardRates(1, 256);

    private static double seconds(long[] copies, double[] work, boolean... streamed) {
        List<WeightUse> weights = IntStream.range(0, copies.length).mapToObj(i -> new WeightUse("w" + i, 256 * copies[i], work[i])).toList();
        double flops = weights.stream().mapToDouble(WeightUse::flops).sum();
        WeightPlaces places = WeightPlaces.of(weights, i -> streamed[i], 0);
        return StreamTiming.seconds(new NetworkDemand("net", weights, 0, flops), places, RATES);
    }

    @Test
    void nothingStreamedTakesTheTimeOfTheWork() {
        assertThat(seconds(new long[] {5, 5}, new double[] {2, 3}, false, false)).isEqualTo(5);
    }

    @Test
    void theFirstCopyIsWaitedForAndTheSecondHidesBehindTheFirstsWork() {
        // Copies 0–1 and 1–2; work 1–4, then 4–5.
        assertThat(seconds(new long[] {1, 1}, new double[] {3, 1}, true, true)).isEqualTo(5);
    }

    @Test
    void theThirdCopyWaitsUntilItsSlotIsFree() {
        // Copies 0–1, 1–2; work of the first 1–11; third copy 11–12 during the second's work 11–12; third's work 12–13.
        assertThat(seconds(new long[] {1, 1, 1}, new double[] {10, 1, 1}, true, true, true)).isEqualTo(13);
        // The same with a short second: the third is waited for.
        assertThat(seconds(new long[] {1, 1, 4}, new double[] {10, 1, 1}, true, true, true)).isEqualTo(16);
    }

    @Test
    void aCopyHidesBehindResidentWorkBeforeIt() {
        assertThat(seconds(new long[] {1, 4, 1}, new double[] {4, 1, 1}, false, true, false)).isEqualTo(6);
    }

    @Test
    void workThatNoWeightStandsForIsSpread() {
        List<WeightUse> weights = List.of(new WeightUse("w", 256, 2));
        NetworkDemand demand = new NetworkDemand("net", weights, 0, 8);
        assertThat(StreamTiming.seconds(demand, WeightPlaces.resident(weights), RATES)).isCloseTo(8, within(1e-12));
        assertThat(StreamTiming.seconds(new NetworkDemand("net", List.of(), 0, 8), WeightPlaces.resident(List.of()), RATES)).isEqualTo(8);
    }
}
