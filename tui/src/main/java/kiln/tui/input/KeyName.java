package kiln.tui.input;

/** Which key was struck; {@link #CHARACTER} for all that type something. */
public enum KeyName {
    CHARACTER("", ""),
    ENTER("Enter", "enter"),
    TAB("Tab", "tab"),
    BACKSPACE("Backspace", "backspace"),
    ESCAPE("Esc", "escape"),
    UP("↑", "up"),
    DOWN("↓", "down"),
    LEFT("←", "left"),
    RIGHT("→", "right"),
    HOME("Home", "home"),
    END("End", "end"),
    PAGE_UP("PgUp", "pageup"),
    PAGE_DOWN("PgDn", "pagedown"),
    INSERT("Ins", "insert"),
    DELETE("Del", "delete"),
    F1("F1", "f1"),
    F2("F2", "f2"),
    F3("F3", "f3"),
    F4("F4", "f4"),
    F5("F5", "f5"),
    F6("F6", "f6"),
    F7("F7", "f7"),
    F8("F8", "f8"),
    F9("F9", "f9"),
    F10("F10", "f10"),
    F11("F11", "f11"),
    F12("F12", "f12");

    private final String label;
    private final String word;

    KeyName(String label, String word) {
        this.label = label;
        this.word = word;
    }

    /** As hints show it. */
    public String label() {
        return label;
    }

    /** As key descriptions write it. */
    String word() {
        return word;
    }

    static KeyName function(int number) {
        return values()[F1.ordinal() + number - 1];
    }
}
