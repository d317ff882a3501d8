package kiln.runtime.plan;

import java.util.List;

/**
 * Predicts a run whose weights come in part through two slots: copies follow one another, each begins when the unit before last, which
 * lies in its slot, is no longer needed; a node begins when its weights are there.
 */
final class StreamTiming {
    private StreamTiming() {}

    static double seconds(NetworkDemand demand, WeightPlaces places, CardRates rates) {
        List<WeightUse> weights = demand.weights();
        double counted = weights.stream().mapToDouble(WeightUse::flops).sum();
        // Work that no weight stands for is spread over all of it.
        double secondsPerFlop = (counted > 0 ? Math.max(1, demand.flops() / counted) : 0) / rates.flopsPerSecond();
        List<StreamUnit> units = places.units();
        double[] done = new double[units.size()];
        double copied = 0;
        double now = counted > 0 ? 0 : demand.flops() / rates.flopsPerSecond();
        int arrived = -1;
        for (int i = 0; i < weights.size(); i++) {
            int unit = places.placements().get(i).unit();
            if (unit > arrived) {
                double begin = unit < WeightPlaces.SLOTS ? copied : Math.max(copied, done[unit - WeightPlaces.SLOTS]);
                copied = begin + units.get(unit).bytes() / rates.busBytesPerSecond();
                now = Math.max(now, copied);
                arrived = unit;
            }
            now += weights.get(i).flops() * secondsPerFlop;
            if (unit >= 0) {
                done[unit] = now;
            }
        }
        return now;
    }
}
