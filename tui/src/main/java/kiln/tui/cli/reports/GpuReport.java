package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import kiln.runtime.check.CardFindings;
import kiln.runtime.check.ConfirmedCard;
import kiln.runtime.check.LibraryFinding;
import kiln.tui.cli.base.Quantities;

/** The part of {@code kiln doctor} that is about graphics cards. */
public record GpuReport(CardFindings found) {
    /** @param line takes the name of a line, empty for more of the line above, and its text */
    public void print(BiConsumer<String, String> line) {
        for (CardFindings.Card card : found.cards()) {
            String free = card.freeBytes() < 0 ? "free memory unknown" : Quantities.bytes(card.freeBytes()) + " free";
            line.accept(
                    "GPU " + card.index(),
                    card.name() + ", compute capability " + card.capability() + ", " + free + " of " + Quantities.bytes(card.totalBytes()));
            line.accept("", card.uuid() == null ? "UUID unknown" : card.uuid());
            line.accept(
                    "",
                    ConfirmedCard.like(card).isPresent()
                            ? "its compute capability was confirmed by a real card"
                            : "no real card has confirmed its compute capability yet: kiln selftest shows what this one computes");
        }
        if (found.driverVersion() != null || found.cudaVersion() != null) {
            line.accept(
                    "driver",
                    (found.driverVersion() == null ? "version unknown" : found.driverVersion())
                            + (found.cudaVersion() == null ? "" : ", CUDA up to " + found.cudaVersion()));
        }
        String visible = found.variables().get(CardFindings.VISIBLE_DEVICES);
        if (visible != null) {
            line.accept(
                    "environment",
                    CardFindings.VISIBLE_DEVICES + "=" + Quantities.printable(visible, 120) + ": other devices are hidden, indices count what is left");
        }
        String order = found.variables().get(CardFindings.DEVICE_ORDER);
        if (order != null) {
            line.accept("environment", CardFindings.DEVICE_ORDER + "=" + Quantities.printable(order, 120));
        } else if (found.cards().size() > 1) {
            line.accept("", "indices are CUDA's, the fastest first: nvidia-smi may count differently, UUIDs are the same");
        }
        String chosen = found.chosen() == null ? "none: " : found.chosen().label() + ": ";
        line.accept(found.cards().isEmpty() ? "GPU" : "GPU chosen", chosen + found.choice());
        line.accept(
                "confirmed",
                "compute capability " + ConfirmedCard.ALL.stream().map(ConfirmedCard::toString).collect(Collectors.joining(", "))
                        + "; others are emulated and assembled only");
        for (LibraryFinding library : found.libraries()) {
            String version = library.version() == null ? "loads" : "version " + library.version();
            String state = library.problem() == null ? version : library.problem();
            line.accept(library.file(), library.path() == null ? state : library.path() + ", " + state);
            line.accept("", library.use());
        }
    }

    /**
     * The fields "gpu", "libraries" (where they are), "libraryVersions", "libraryProblems" (why they cannot be used) and "libraryUses" (who
     * computes instead).
     */
    public void write(JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("gpu");
        out.writeArrayFieldStart("devices");
        for (CardFindings.Card card : found.cards()) {
            out.writeStartObject();
            out.writeNumberField("index", card.index());
            out.writeStringField("name", card.name());
            out.writeStringField("uuid", card.uuid());
            out.writeStringField("capability", card.capability());
            out.writeBooleanField("confirmed", ConfirmedCard.like(card).isPresent());
            out.writeNumberField("totalBytes", card.totalBytes());
            if (card.freeBytes() < 0) {
                out.writeNullField("freeBytes");
            } else {
                out.writeNumberField("freeBytes", card.freeBytes());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeStringField("driver", found.driverVersion());
        out.writeStringField("cuda", found.cudaVersion());
        out.writeStringField("reason", found.reason());
        if (found.chosen() == null) {
            out.writeNullField("chosen");
        } else {
            out.writeNumberField("chosen", found.chosen().index());
        }
        out.writeStringField("choice", found.choice());
        out.writeArrayFieldStart("confirmed");
        for (ConfirmedCard card : ConfirmedCard.ALL) {
            out.writeStartObject();
            out.writeStringField("capability", card.capability());
            out.writeStringField("name", card.name());
            out.writeStringField("date", card.date().toString());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeObjectFieldStart("environment");
        for (String name : List.of(CardFindings.VISIBLE_DEVICES, CardFindings.DEVICE_ORDER)) {
            out.writeStringField(name, found.variables().get(name));
        }
        out.writeEndObject();
        out.writeEndObject();
        writeLibraries(out, "libraries", library -> library.path() == null ? null : library.path().toString());
        writeLibraries(out, "libraryVersions", LibraryFinding::version);
        writeLibraries(out, "libraryProblems", LibraryFinding::problem);
        writeLibraries(out, "libraryUses", LibraryFinding::use);
    }

    private void writeLibraries(JsonGenerator out, String name, Function<LibraryFinding, String> value) throws IOException {
        out.writeObjectFieldStart(name);
        for (LibraryFinding library : found.libraries()) {
            out.writeStringField(library.file(), value.apply(library));
        }
        out.writeEndObject();
    }
}
