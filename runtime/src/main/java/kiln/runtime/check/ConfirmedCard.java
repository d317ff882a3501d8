package kiln.runtime.check;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/**
 * A real card on which all of {@code kiln selftest} was right. Other capabilities have been emulated and assembled only.
 *
 * @param capability the compute capability ("9.0")
 * @param date of the test
 */
public record ConfirmedCard(String capability, String name, LocalDate date) {
    /** One for each capability, the lowest first. */
    public static final List<ConfirmedCard> ALL = List.of(new ConfirmedCard("9.0", "NVIDIA H200", LocalDate.of(2026, 11, 28)));

    /** The one of this card's capability. */
    public static Optional<ConfirmedCard> like(CardFindings.Card card) {
        return ALL.stream().filter(confirmed -> confirmed.capability.equals(card.capability())).findFirst();
    }

    /** As in a sentence: "9.0 (NVIDIA H200, 2026-11-28)". */
    @Override
    public String toString() {
        return capability + " (" + name + ", " + date + ")";
    }
}
