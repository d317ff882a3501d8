package kiln.tui.view;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.job.JobRecord;
import kiln.tui.text.CellWidth;

/** What computes and what memory it has, as much of it as fits. */
final class DeviceText {
    private DeviceText() {}

    /** For the top line: "RTX 3060 f16  1.2/2.0 GiB lowvram  3.4 it/s"; on the CPU what the host's memory is. */
    static String header(UiState state, int cells) {
        DeviceUse use = state.use;
        // Where a card failed the CPU may have gone on: the name tells.
        if (use == null || !state.device.startsWith(use.name())) {
            return joined(state.device, state.memory);
        }
        List<String> texts = new ArrayList<>();
        String memory = ByteSize.formatOf(use.usedBytes(), use.totalBytes());
        String kept = use.residency().isEmpty() ? memory : memory + " " + use.residency();
        double rate = rateOfLatest(state);
        if (rate > 0) {
            texts.add(joined(shortened(state.device), kept, rate(rate)));
            texts.add(joined(shortened(use.name()), kept, rate(rate)));
        }
        texts.add(joined(shortened(state.device), kept));
        texts.add(joined(shortened(use.name()), kept));
        texts.add(kept);
        texts.add(memory);
        return longest(texts, cells);
    }

    /** For below a finished picture: "VRAM: 1.1 GiB used, 1.3 GiB peak, 1.9/2.0 GiB on the card (95%)". */
    static String picture(DeviceUse use, int cells) {
        String card = ByteSize.formatOf(use.takenBytes(), use.totalBytes());
        String used = ofCard(use.usedBytes(), use);
        String peak = ofCard(use.peakBytes(), use);
        return longest(
                List.of(
                        "VRAM: " + use.memoryText(),
                        "VRAM " + used + ", peak " + peak + ", card " + card + " (" + use.takenPercent() + "%)",
                        "VRAM " + used + " peak " + peak + " card " + card + " " + use.takenPercent() + "%",
                        "VRAM " + card + " (" + use.takenPercent() + "%)",
                        ""),
                cells);
    }

    /** The number alone, in the unit of the card's memory. */
    private static String ofCard(long bytes, DeviceUse use) {
        String both = ByteSize.formatOf(bytes, use.totalBytes());
        return both.substring(0, both.indexOf('/'));
    }

    /** "3.4 it/s", or "2.5 s/it" for slow steps. */
    static String rate(double stepsPerSecond) {
        return stepsPerSecond >= 1
                ? String.format(Locale.ROOT, "%.1f it/s", stepsPerSecond)
                : String.format(Locale.ROOT, "%.1f s/it", 1 / stepsPerSecond);
    }

    /** Of the job that runs, else of the last that had one. */
    private static double rateOfLatest(UiState state) {
        JobRecord running = state.jobs.running();
        if (running != null && running.stepsPerSecond() > 0) {
            return running.stepsPerSecond();
        }
        return state.jobs.records().stream()
                .mapToDouble(JobRecord::stepsPerSecond)
                .filter(rate -> rate > 0)
                .findFirst()
                .orElse(0);
    }

    private static String shortened(String device) {
        return device.replace("NVIDIA ", "").replace("GeForce ", "");
    }

    private static String joined(String... parts) {
        return String.join("  ", List.of(parts).stream().filter(part -> !part.isEmpty()).toList());
    }

    /** The first that fits; the last where none does. */
    private static String longest(List<String> texts, int cells) {
        return texts.stream().filter(text -> CellWidth.ofText(text) <= cells).findFirst().orElse(texts.get(texts.size() - 1));
    }
}
