package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import kiln.runtime.base.DeviceUse;

/** What computed, as reports for programs tell it. */
final class DeviceJson {
    private DeviceJson() {}

    /**
     * {"name", "residency", "usedBytes", "peakBytes", "freeBytes", "totalBytes"}; all but the name are null where no card was used.
     *
     * @param name of what computes; a card's own goes before
     * @param use {@code null} for the CPU
     */
    static void write(JsonGenerator out, String name, DeviceUse use) throws IOException {
        out.writeStartObject();
        if (use == null) {
            out.writeStringField("name", name);
            out.writeNullField("residency");
            for (String field : new String[] {"usedBytes", "peakBytes", "freeBytes", "totalBytes"}) {
                out.writeNullField(field);
            }
        } else {
            out.writeStringField("name", use.name());
            out.writeStringField("residency", use.residency());
            out.writeNumberField("usedBytes", use.usedBytes());
            out.writeNumberField("peakBytes", use.peakBytes());
            out.writeNumberField("freeBytes", use.freeBytes());
            out.writeNumberField("totalBytes", use.totalBytes());
        }
        out.writeEndObject();
    }
}
