package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import kiln.runtime.check.Bench;

/**
 * A step with all of a card's memory against one with less of it.
 *
 * @param budgetBytes that the second was given
 * @param busBytesPerSecond measured: a step can be no faster than its copies
 */
public record BudgetComparison(long budgetBytes, Bench.Result whole, Bench.Result limited, double busBytesPerSecond) {
    double stepRatio() {
        return limited.unetStep().median() / whole.unetStep().median();
    }

    private double busSeconds() {
        return limited.streamedBytesPerStep() / busBytesPerSecond;
    }

    /** Against the longer of computing and copying: 1 when the shorter one is hidden behind it. */
    double ratioToBound() {
        return limited.unetStep().median() / Math.max(whole.unetStep().median(), busSeconds());
    }

    void write(JsonGenerator out) throws IOException {
        out.writeNumberField("budgetBytes", budgetBytes);
        out.writeNumberField("busBytesPerSecond", busBytesPerSecond);
        out.writeNumberField("stepRatio", stepRatio());
        out.writeNumberField("ratioToBound", ratioToBound());
    }

    List<String> lines() {
        return List.of(
                String.format(
                        Locale.ROOT,
                        "a step takes %.2f times as long, %.2f times the longer of computing (%.4f s) and copying (%.4f s at %.1f GB/s)",
                        stepRatio(),
                        ratioToBound(),
                        whole.unetStep().median(),
                        busSeconds(),
                        busBytesPerSecond / 1e9),
                String.format(Locale.ROOT, "a decode takes %.2f times as long", limited.vaeDecode().median() / whole.vaeDecode().median()));
    }
}
