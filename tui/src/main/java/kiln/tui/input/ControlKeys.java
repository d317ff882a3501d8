package kiln.tui.input;

import kiln.tui.input.InputEvent.Key;

/** The keys that arrive as control characters. */
final class ControlKeys {
    private ControlKeys() {}

    static Key of(int b, boolean alt) {
        return switch (b) {
            case 0x09 -> new Key(KeyName.TAB, 0, false, alt, false);
            case 0x0d -> new Key(KeyName.ENTER, 0, false, alt, false);
            case 0x08, 0x7f -> new Key(KeyName.BACKSPACE, 0, false, alt, false);
            case 0x00 -> new Key(KeyName.CHARACTER, ' ', true, alt, false);
            case 0x1c, 0x1d, 0x1e, 0x1f -> new Key(KeyName.CHARACTER, b + 0x40, true, alt, false);
            default -> new Key(KeyName.CHARACTER, b + 0x60, true, alt, false);
        };
    }
}
