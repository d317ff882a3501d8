package kiln.tui.view;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.tui.command.Command;
import kiln.tui.command.CommandTable;
import kiln.tui.editor.EditorKeys;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;

/** What lies over the screen for a while: the overview of keys, a list to choose from. */
final class Overlays {
    private static final Map<String, String> GROUPS = new LinkedHashMap<>();

    static {
        GROUPS.put("all", "Everywhere");
        GROUPS.put("text", "In the texts");
        GROUPS.put("field", "In a field");
        GROUPS.put("history", "In the history");
    }

    private Overlays() {}

    static void help(Canvas canvas, UiState state, CommandTable<UiState> commands, Theme theme) {
        List<String[]> lines = new ArrayList<>();
        GROUPS.forEach((group, heading) -> {
            lines.add(new String[] {"", heading});
            addAll(lines, commands.all(), group);
            addAll(lines, EditorKeys.TABLE.all(), group);
        });
        int rows = Math.min(lines.size(), canvas.height() - 4);
        state.helpScroll = Math.max(0, Math.min(state.helpScroll, lines.size() - rows));
        int columns = Math.min(canvas.width() - 2, 76);
        Rect frame = new Rect((canvas.width() - columns) / 2, 1, columns, rows + 2);
        Box.draw(canvas, frame, "Keys", "", true, theme);
        canvas.fill(frame.x() + 1, frame.y() + 1, columns - 2, rows, " ", theme.plain());
        for (int i = 0; i < rows; i++) {
            String[] line = lines.get(state.helpScroll + i);
            boolean heading = line[0].isEmpty();
            canvas.text(frame.x() + 2, frame.y() + 1 + i, 24, line[0], theme.accent());
            canvas.text(frame.x() + (heading ? 2 : 27), frame.y() + 1 + i, columns - 29, line[1], heading ? theme.bold() : theme.plain());
        }
    }

    private static <T> void addAll(List<String[]> lines, List<Command<T>> commands, String group) {
        Set<String> seen = new HashSet<>();
        for (Command<T> command : commands) {
            if (command.group().equals(group) && seen.add(command.help())) {
                lines.add(new String[] {command.keyLabels(), command.help()});
            }
        }
    }

    /** The list stands beside the field that it belongs to. */
    static void chooser(Canvas canvas, Layout layout, Chooser chooser, Theme theme) {
        List<Integer> shown = chooser.shown();
        int widest = shown.stream().mapToInt(i -> CellWidth.ofText(chooser.item(i))).max().orElse(10);
        int columns = Math.min(canvas.width() - 4, Math.max(24, widest + 4));
        int rows = Math.max(1, Math.min(shown.size(), canvas.height() - 6));
        int x = Math.max(0, Math.min(layout.parameters().x() + 12, canvas.width() - columns));
        int y = Math.max(1, Math.min(layout.parameters().y(), canvas.height() - 3 - rows));
        Rect frame = new Rect(x, y, columns, rows + 2);
        Box.draw(canvas, frame, chooser.title(), chooser.filter(), true, theme);
        canvas.fill(x + 1, y + 1, columns - 2, rows, " ", theme.plain());
        if (shown.isEmpty()) {
            canvas.text(x + 2, y + 1, columns - 4, "nothing with that name", theme.dim());
            return;
        }
        int chosen = shown.indexOf(chooser.selected());
        int first = Math.max(0, Math.min(chosen - rows / 2, shown.size() - rows));
        for (int i = 0; i < rows; i++) {
            boolean selected = first + i == chosen;
            Style style = selected ? theme.chosen() : theme.plain();
            if (selected) {
                canvas.fill(x + 1, y + 1 + i, columns - 2, 1, " ", style);
                canvas.text(x + 1, y + 1 + i, 1, theme.focusMark(), style);
            }
            canvas.text(x + 2, y + 1 + i, columns - 4, chooser.item(shown.get(first + i)), style);
        }
    }
}
