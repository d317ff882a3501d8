package kiln.tui.terminal;

/** Columns and rows of the terminal. */
public record ScreenSize(int columns, int rows) {
    static final ScreenSize USUAL = new ScreenSize(80, 24);

    public ScreenSize {
        if (columns < 1 || rows < 1) {
            throw new IllegalArgumentException("a screen of " + columns + "x" + rows);
        }
    }

    /** Reads "24 80" as {@code stty size} writes it; {@code null} when it is something else or a terminal that does not know. */
    static ScreenSize parse(String rowsAndColumns) {
        String[] parts = rowsAndColumns.strip().split("\\s+");
        try {
            int rows = Integer.parseInt(parts[0]);
            int columns = Integer.parseInt(parts[1]);
            return rows > 0 && columns > 0 ? new ScreenSize(columns, rows) : null;
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return null;
        }
    }
}
