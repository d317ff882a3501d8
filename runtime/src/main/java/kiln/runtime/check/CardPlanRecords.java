package kiln.runtime.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.UNet;
import kiln.runtime.plan.CardRates;
import kiln.runtime.plan.NetworkPlace;
import kiln.runtime.plan.ResidencyPlan;
import kiln.runtime.plan.StreamUnit;
import kiln.runtime.plan.WeightUse;

/** A residency plan as plain records. */
final class CardPlanRecords {
    private CardPlanRecords() {}

    static CardPlan of(
            ResidencyPlan plan, GenerationRequest request, CardRates rates, int calls, double batchSeconds, double flopsPerPicture) {
        CardPlan.Times times = new CardPlan.Times(
                plan.stepSeconds(rates),
                plan.streamedNetwork().demand().flops() / rates.flopsPerSecond(),
                plan.streamedBytesPerStep() / rates.busBytesPerSecond(),
                batchSeconds);
        List<CardPlan.Network> networks = plan.networks().stream().map(CardPlanRecords::network).toList();
        return new CardPlan(request.width(), request.height(), memory(plan), times, networks, calls, flopsPerPicture);
    }

    private static CardPlan.Memory memory(ResidencyPlan plan) {
        return new CardPlan.Memory(
                plan.residency().word(),
                plan.shortage().orElse(null),
                plan.budgetBytes(),
                plan.peakBytes(),
                plan.largest().name(),
                plan.fixedBytes(),
                plan.weightsBytes(),
                plan.activationBytes(),
                plan.streamedBytesPerStep(),
                plan.turnBytes());
    }

    private static CardPlan.Network network(NetworkPlace place) {
        List<WeightUse> uses = place.demand().weights();
        List<CardPlan.Weight> weights = new ArrayList<>();
        for (int i = 0; i < uses.size(); i++) {
            weights.add(new CardPlan.Weight(uses.get(i).name(), uses.get(i).bytes(), place.weights().placements().get(i).unit()));
        }
        List<CardPlan.Unit> units = new ArrayList<>();
        for (StreamUnit unit : place.weights().units()) {
            units.add(new CardPlan.Unit(unit.bytes(), unit.weights().stream().map(weight -> uses.get(weight).name()).toList()));
        }
        return new CardPlan.Network(
                place.name(),
                place.demand().flops(),
                place.demand().weightBytes(),
                place.weights().blockBytes(),
                place.weights().slotBytes(),
                place.arenaBytes(),
                place.reducedArena(),
                weights,
                units,
                blocks(units));
    }

    /** "input_blocks 1-5, 7, middle_block": which parts of the denoiser the streamed weights belong to. */
    private static String blocks(List<CardPlan.Unit> units) {
        Map<String, TreeSet<Integer>> blocks = new LinkedHashMap<>();
        for (CardPlan.Unit unit : units) {
            for (String weight : unit.weights()) {
                String[] name = weight.substring(UNet.PREFIX.length()).split("\\.");
                TreeSet<Integer> numbers = blocks.computeIfAbsent(name[0], block -> new TreeSet<>());
                if (name[0].endsWith("_blocks")) {
                    numbers.add(Integer.parseInt(name[1]));
                }
            }
        }
        return blocks.entrySet().stream()
                .map(block -> (block.getKey() + " " + ranges(block.getValue())).strip())
                .collect(Collectors.joining(", "));
    }

    /** "1-5, 7". */
    private static String ranges(TreeSet<Integer> numbers) {
        StringBuilder text = new StringBuilder();
        for (int number : numbers) {
            boolean begins = !numbers.contains(number - 1);
            if (begins) {
                text.append(text.isEmpty() ? "" : ", ").append(number);
            } else if (!numbers.contains(number + 1)) {
                text.append('-').append(number);
            }
        }
        return text.toString();
    }
}
