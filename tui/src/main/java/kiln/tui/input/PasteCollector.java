package kiln.tui.input;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The bytes of a bracketed paste, up to its end mark. */
final class PasteCollector {
    /** What is pasted beyond this is dropped: no prompt is that long, and a paste must not exhaust the memory. */
    private static final int MAX_BYTES = 1 << 20;

    private static final byte[] END = "\u001b[201~".getBytes(StandardCharsets.US_ASCII);

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int matched;

    /** Whether {@code b} completes the end mark. */
    boolean accept(int b) {
        if (b == END[matched]) {
            matched++;
            return matched == END.length;
        }
        for (int i = 0; i < matched; i++) {
            keep(END[i]);
        }
        // The mark's first byte occurs nowhere else in it, so a failed match can only begin anew with this byte.
        matched = b == END[0] ? 1 : 0;
        if (matched == 0) {
            keep(b);
        }
        return false;
    }

    private void keep(int b) {
        if (bytes.size() < MAX_BYTES) {
            bytes.write(b);
        }
    }

    /** The text that was pasted, made harmless; the collector is empty after it. */
    String take() {
        String raw = bytes.toString(StandardCharsets.UTF_8);
        bytes.reset();
        matched = 0;
        return clean(raw);
    }

    private static String clean(String raw) {
        StringBuilder text = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '\r') {
                if (i + 1 == raw.length() || raw.charAt(i + 1) != '\n') {
                    text.append('\n');
                }
            } else if (c == '\t') {
                text.append(' ');
            } else if (c == '\n' || !Character.isISOControl(c)) {
                text.append(c);
            }
        }
        return text.toString();
    }
}
