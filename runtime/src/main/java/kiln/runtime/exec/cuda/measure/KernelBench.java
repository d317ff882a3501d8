package kiln.runtime.exec.cuda.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.op.Card;
import kiln.runtime.base.KernelTimes;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.program.Lowering;
import kiln.runtime.graph.Graph;

/**
 * Times kernels on a card: every launch of the given networks once, and attention at the sizes that others publish.
 */
public final class KernelBench {
    private KernelBench() {}

    /**
     * @param networks graphs by name, in the order of the rows
     * @param wanted told a launch's group, kernel, variant and sizes in one line
     * @param quick whether each is launched once only, for a card that is only emulated
     * @param listener told what is being timed, and what cannot be
     * @throws CudaException when the card fails
     */
    public static KernelTimes run(
            CudaContext context,
            CudaSettings settings,
            Map<String, Graph> networks,
            Predicate<String> wanted,
            boolean quick,
            Consumer<String> listener) {
        Card card = Card.of(context);
        List<Workload> workloads = fitting(
                workloads(card, settings, networks, listener).stream().filter(workload -> wanted.test(workload.name())).toList(),
                context.memoryInfo().freeBytes() / 2,
                listener);
        try (KernelTimer timer = new KernelTimer(context, workloads, quick)) {
            List<KernelTimer.Time> times = new ArrayList<>();
            for (Workload workload : workloads) {
                listener.accept(workload.name());
                times.add(timer.time(workload));
            }
            return new KernelTimes(context.device().name(), timer.busRate(), timer.memoryRate(), rows(workloads, times));
        }
    }

    private static List<Workload> fitting(List<Workload> workloads, long mostArenaBytes, Consumer<String> notices) {
        List<Workload> fitting = new ArrayList<>();
        for (Workload workload : workloads) {
            if (workload.arenaBytes() <= mostArenaBytes) {
                fitting.add(workload);
            } else {
                notices.accept(workload.name() + " is left out: too little memory");
            }
        }
        return fitting;
    }

    /** Bytes a second from pinned memory to the card. */
    public static double busRate(CudaContext context) {
        try (KernelTimer timer = new KernelTimer(context, List.of(), false)) {
            return timer.busRate();
        }
    }

    static List<Workload> workloads(Card card, CudaSettings settings, Map<String, Graph> networks, Consumer<String> notices) {
        List<Workload> all = new ArrayList<>();
        networks.forEach((name, graph) -> {
            try {
                all.addAll(ProgramWorkloads.of(name, Lowering.lower(graph, settings.target(card, name))));
            } catch (IllegalArgumentException e) {
                notices.accept("the " + name + " is left out: " + e.getMessage());
            }
        });
        all.addAll(PublishedAttention.of(settings.target(card, PublishedAttention.GROUP), notices));
        return List.copyOf(all);
    }

    private static List<KernelTimes.Row> rows(List<Workload> workloads, List<KernelTimer.Time> times) {
        Map<String, Double> total = new TreeMap<>();
        for (int i = 0; i < times.size(); i++) {
            total.merge(workloads.get(i).group(), workloads.get(i).count() * times.get(i).median(), Double::sum);
        }
        List<KernelTimes.Row> rows = new ArrayList<>();
        for (int i = 0; i < times.size(); i++) {
            Workload workload = workloads.get(i);
            KernelTimer.Time time = times.get(i);
            double all = total.get(workload.group());
            rows.add(new KernelTimes.Row(
                    workload.group(),
                    workload.call().kernel().name(),
                    workload.call().kernel().variant(),
                    workload.text(),
                    workload.count(),
                    time.median(),
                    time.least(),
                    workload.flops(),
                    workload.bytes(),
                    all == 0 ? 0 : workload.count() * time.median() / all));
        }
        return rows;
    }
}
