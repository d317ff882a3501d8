package kiln.tui.input;

import kiln.tui.input.InputEvent.Key;

/** The keys that arrive as control sequences, by xterm's, kitty's, rxvt's and the Linux console's conventions. */
final class SequenceKeys {
    private static final int SHIFT = 1;
    private static final int ALT = 2;
    private static final int CTRL = 4;
    private static final int RELEASE = 3;
    /** kitty reports keypad keys in this private-use range. */
    private static final int KEYPAD_FIRST = 57399;

    private static final String KEYPAD = "0123456789./*-+";

    private SequenceKeys() {}

    /** The key of a CSI sequence, or {@code null} when it is none. */
    static Key of(String parameters, int last) {
        if (!parameters.isEmpty() && !isPlain(parameters)) {
            return null; // private parameters or intermediates: a reply or a mouse report
        }
        int[][] values = split(parameters);
        int first = value(values, 0, 0, 1);
        int modifiers = Math.max(0, value(values, 1, 0, 1) - 1);
        if (value(values, 1, 1, 1) == RELEASE) {
            return null;
        }
        switch (last) {
            case 'u':
                return codePoint(first, modifiers, value(values, 0, 1, 0));
            case 'Z':
                return key(KeyName.TAB, modifiers | SHIFT);
            case '~':
                return first == 27 && values.length == 3
                        ? codePoint(value(values, 2, 0, 0), modifiers, 0)
                        : numbered(first, modifiers);
            case 'R': // F3 with modifiers looks like a cursor report of line 1, for which Kiln never asks
                return first == 1 && values.length == 2 ? key(KeyName.F3, modifiers) : null;
            default:
                KeyName name = lettered(last);
                return name == null || first != 1 ? null : key(name, modifiers);
        }
    }

    static Key afterSingleShift(String parameters, int last) {
        int[][] values = split(parameters);
        int modifiers = parameters.isEmpty() ? 0 : Math.max(0, value(values, values.length - 1, 0, 1) - 1);
        if (last == 'M') {
            return key(KeyName.ENTER, modifiers);
        }
        if (last >= 'j' && last <= 'y') {
            // Application keypad.
            return character("*+,-./0123456789".charAt(last - 'j'), modifiers);
        }
        KeyName name = last == 'R' ? KeyName.F3 : lettered(last);
        return name == null ? null : key(name, modifiers);
    }

    private static boolean isPlain(String parameters) {
        return parameters.chars().allMatch(c -> c >= '0' && c <= ';');
    }

    private static int[][] split(String parameters) {
        String[] groups = parameters.split(";", -1);
        int[][] values = new int[groups.length][];
        for (int i = 0; i < groups.length; i++) {
            String[] parts = groups[i].split(":", -1);
            values[i] = new int[parts.length];
            for (int j = 0; j < parts.length; j++) {
                boolean number = !parts[j].isEmpty() && parts[j].length() <= 8 && parts[j].chars().allMatch(c -> c >= '0' && c <= '9');
                values[i][j] = number ? Integer.parseInt(parts[j]) : -1;
            }
        }
        return values;
    }

    private static int value(int[][] values, int group, int part, int missing) {
        boolean there = group < values.length && part < values[group].length && values[group][part] >= 0;
        return there ? values[group][part] : missing;
    }

    private static Key key(KeyName name, int modifiers) {
        return new Key(name, 0, (modifiers & CTRL) != 0, (modifiers & ALT) != 0, (modifiers & SHIFT) != 0);
    }

    private static Key character(int codePoint, int modifiers) {
        return new Key(KeyName.CHARACTER, codePoint, (modifiers & CTRL) != 0, (modifiers & ALT) != 0, false);
    }

    private static Key codePoint(int code, int modifiers, int shifted) {
        switch (code) {
            case 9:
                return key(KeyName.TAB, modifiers);
            case 13, 57414:
                return key(KeyName.ENTER, modifiers);
            case 27:
                return key(KeyName.ESCAPE, modifiers);
            case 8, 127:
                return key(KeyName.BACKSPACE, modifiers);
            default:
                break;
        }
        if (code >= KEYPAD_FIRST && code < KEYPAD_FIRST + KEYPAD.length()) {
            return character(KEYPAD.charAt(code - KEYPAD_FIRST), modifiers);
        }
        boolean privateUse = code >= 0xe000 && code <= 0xf8ff;
        if (code < 0x20 || code > Character.MAX_CODE_POINT || privateUse || code >= 0x7f && code < 0xa0) {
            return null;
        }
        boolean shift = (modifiers & SHIFT) != 0;
        return character(shift ? shifted > 0 ? shifted : Character.toUpperCase(code) : code, modifiers);
    }

    private static KeyName lettered(int last) {
        return switch (last) {
            case 'A' -> KeyName.UP;
            case 'B' -> KeyName.DOWN;
            case 'C' -> KeyName.RIGHT;
            case 'D' -> KeyName.LEFT;
            case 'F' -> KeyName.END;
            case 'H' -> KeyName.HOME;
            case 'P' -> KeyName.F1;
            case 'Q' -> KeyName.F2;
            case 'S' -> KeyName.F4;
            default -> null;
        };
    }

    private static Key numbered(int number, int modifiers) {
        KeyName name = switch (number) {
            case 1, 7 -> KeyName.HOME;
            case 2 -> KeyName.INSERT;
            case 3 -> KeyName.DELETE;
            case 4, 8 -> KeyName.END;
            case 5 -> KeyName.PAGE_UP;
            case 6 -> KeyName.PAGE_DOWN;
            case 11, 12, 13, 14, 15 -> KeyName.function(number - 10);
            case 17, 18, 19, 20, 21 -> KeyName.function(number - 11);
            case 23, 24 -> KeyName.function(number - 12);
            default -> null;
        };
        return name == null ? null : key(name, modifiers);
    }
}
