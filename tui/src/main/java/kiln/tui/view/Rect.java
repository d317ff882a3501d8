package kiln.tui.view;

/** A rectangle of cells. */
record Rect(int x, int y, int columns, int rows) {
    int right() {
        return x + columns;
    }

    int bottom() {
        return y + rows;
    }

    boolean isEmpty() {
        return columns < 1 || rows < 1;
    }

    Rect inner() {
        return new Rect(x + 1, y + 1, columns - 2, rows - 2);
    }
}
