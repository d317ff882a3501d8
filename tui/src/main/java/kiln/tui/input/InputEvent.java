package kiln.tui.input;

import java.util.Locale;
import java.util.Objects;

/** What a person did at the terminal. Terminals' replies and mouse reports never become events. */
public sealed interface InputEvent {
    /**
     * A key stroke.
     *
     * @param codePoint what it types when {@code name} is {@link KeyName#CHARACTER}, else 0; with {@code ctrl} or {@code alt} letters
     *     are lower case unless Shift was reported with them
     * @param shift only for keys that type nothing: a character carries it in itself
     */
    record Key(KeyName name, int codePoint, boolean ctrl, boolean alt, boolean shift) implements InputEvent {
        public Key {
            Objects.requireNonNull(name, "name");
            if ((name == KeyName.CHARACTER) != (codePoint > 0)) {
                throw new IllegalArgumentException("a character key needs a code point, other keys have none: " + name + " " + codePoint);
            }
        }

        /** A key that types {@code codePoint}. */
        public static Key typed(int codePoint) {
            return new Key(KeyName.CHARACTER, codePoint, false, false, false);
        }

        static Key of(KeyName name) {
            return new Key(name, 0, false, false, false);
        }

        /** Reads a description such as "ctrl+g", "alt+enter", "f1", "?" or "ctrl+up". */
        public static Key parse(String description) {
            boolean ctrl = false;
            boolean alt = false;
            boolean shift = false;
            String rest = description;
            while (rest.indexOf('+') > 0) {
                String modifier = rest.substring(0, rest.indexOf('+')).toLowerCase(Locale.ROOT);
                switch (modifier) {
                    case "ctrl" -> ctrl = true;
                    case "alt" -> alt = true;
                    case "shift" -> shift = true;
                    default -> throw new IllegalArgumentException("unknown modifier in " + description);
                }
                rest = rest.substring(rest.indexOf('+') + 1);
            }
            for (KeyName name : KeyName.values()) {
                if (name != KeyName.CHARACTER && name.word().equals(rest)) {
                    return new Key(name, 0, ctrl, alt, shift);
                }
            }
            if (rest.equals("space")) {
                return new Key(KeyName.CHARACTER, ' ', ctrl, alt, false);
            }
            if (rest.codePointCount(0, rest.length()) != 1) {
                throw new IllegalArgumentException("unknown key " + description);
            }
            return new Key(KeyName.CHARACTER, rest.codePointAt(0), ctrl, alt, false);
        }

        /** Whether it types its character into a text. */
        public boolean types() {
            return name == KeyName.CHARACTER && !ctrl && !alt;
        }

        /** As hints show it: "^G", "Alt+Enter", "←". */
        public String label() {
            String base = name == KeyName.CHARACTER ? codePoint == ' ' ? "Space" : Character.toString(codePoint) : name.label();
            StringBuilder label = new StringBuilder();
            if (ctrl) {
                label.append(name == KeyName.CHARACTER ? "^" : "Ctrl+");
                base = base.toUpperCase(Locale.ROOT);
            }
            if (alt) {
                label.append("Alt+");
            }
            if (shift) {
                label.append("Shift+");
            }
            return label.append(name == KeyName.CHARACTER ? base : name.label()).toString();
        }
    }

    /** Text that was pasted: line ends are {@code \n}, control characters are gone. */
    record Paste(String text) implements InputEvent {}

    /** The terminal's window got or lost the keyboard. */
    record Focus(boolean gained) implements InputEvent {}
}
