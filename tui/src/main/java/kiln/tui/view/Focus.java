package kiln.tui.view;

/** Where typing goes, in the order of Tab. */
enum Focus {
    PROMPT,
    NEGATIVE,
    PARAMETERS,
    HISTORY
}
