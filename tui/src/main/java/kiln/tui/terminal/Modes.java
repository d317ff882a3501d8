package kiln.tui.terminal;

/** The modes that Kiln switches on beyond the alternate screen, and their way back in reverse order. */
final class Modes {
    /** Bracketed paste; focus reports; kitty's keyboard protocol, level 1, pushed on its stack. */
    static final String ENTER = "\u001b[?2004h\u001b[?1004h\u001b[>1u";

    /** Begins by ending a frame that may have been cut off. */
    static final String LEAVE = "\u001b[?2026l\u001b[<u\u001b[?1004l\u001b[?2004l\u001b[0m\u001b[?25h";

    private Modes() {}
}
