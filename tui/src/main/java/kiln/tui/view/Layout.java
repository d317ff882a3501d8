package kiln.tui.view;

/**
 * Where things stand on a screen. Below 80×24 there are no borders, one text at a time and one field at a time.
 *
 * @param prompt the prompt's box with its border, or its bare text when compact
 * @param negative empty when compact; shares its upper border with the prompt's lower one
 * @param history empty when compact
 */
record Layout(
        int columns, int rows, boolean compact, Rect prompt, Rect negative, Rect parameters, Rect history, Rect picture) {
    static final int LEAST_COLUMNS = 40;
    static final int LEAST_ROWS = 10;

    private static final Rect NONE = new Rect(0, 0, 0, 0);
    /** Of the rows beyond 24, what goes to the texts. */
    private static final int MAX_EXTRA_TEXT = 10;

    static Layout of(int columns, int rows) {
        return columns < 80 || rows < 24 ? compact(columns, rows) : full(columns, rows);
    }

    private static Layout full(int columns, int rows) {
        int left = Math.min(64, 37 + Math.max(0, columns - 80) / 4);
        int extra = Math.min(MAX_EXTRA_TEXT, (rows - 24) / 2);
        int promptRows = 4 + extra * 2 / 3;
        int negativeRows = 2 + extra / 3;
        Rect prompt = new Rect(0, 1, left, promptRows + 2);
        Rect negative = new Rect(0, prompt.bottom() - 1, left, negativeRows + 2);
        Rect parameters = new Rect(0, negative.bottom(), left, ParametersView.ROWS);
        int historyTop = parameters.bottom() + 1;
        Rect history = new Rect(0, historyTop, left, rows - 2 - historyTop);
        return new Layout(columns, rows, false, prompt, negative, parameters, history, new Rect(left, 1, columns - left, rows - 3));
    }

    private static Layout compact(int columns, int rows) {
        boolean beside = columns >= 72;
        int left = beside ? columns / 2 : columns;
        int promptRows = Math.max(2, Math.min(5, rows / 5));
        Rect prompt = new Rect(1, 1, left - 2, promptRows);
        Rect parameters = new Rect(0, 1 + promptRows, left, beside ? Math.min(ParametersView.ROWS, rows - 3 - promptRows) : 1);
        Rect picture = beside
                ? new Rect(left, 1, columns - left, rows - 3)
                : new Rect(0, parameters.bottom(), columns, rows - 2 - parameters.bottom());
        return new Layout(columns, rows, true, prompt, NONE, parameters, NONE, picture);
    }
}
