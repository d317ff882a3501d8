package kiln.tui.view;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A list to choose from, narrowed down by typing. */
final class Chooser {
    private final String title;
    private final List<String> items;
    private String filter = "";
    private int selected;

    Chooser(String title, List<String> items, int selected) {
        this.title = title;
        this.items = List.copyOf(items);
        this.selected = selected;
    }

    String title() {
        return title;
    }

    String filter() {
        return filter;
    }

    /** Places in the whole list of what the filter lets through. */
    List<Integer> shown() {
        List<Integer> shown = new ArrayList<>();
        String wanted = filter.toLowerCase(Locale.ROOT);
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i).toLowerCase(Locale.ROOT).contains(wanted)) {
                shown.add(i);
            }
        }
        return shown;
    }

    String item(int index) {
        return items.get(index);
    }

    /** The chosen place in the whole list, −1 when nothing is shown. */
    int selected() {
        List<Integer> shown = shown();
        return shown.isEmpty() ? -1 : shown.contains(selected) ? selected : shown.get(0);
    }

    void move(int rows) {
        List<Integer> shown = shown();
        if (!shown.isEmpty()) {
            int at = shown.indexOf(selected()) + rows;
            selected = shown.get(Math.max(0, Math.min(shown.size() - 1, at)));
        }
    }

    void type(int codePoint) {
        filter += Character.toString(codePoint);
    }

    void deleteTyped() {
        if (!filter.isEmpty()) {
            filter = filter.substring(0, filter.offsetByCodePoints(filter.length(), -1));
        }
    }
}
