package kiln.tui.editor;

import java.util.ArrayList;
import java.util.List;

/** Prompts used before, oldest first, and a walk through them that keeps what was being written. */
public final class PromptHistory {
    private static final int MAX_ENTRIES = 1000;

    private final List<String> entries = new ArrayList<>();
    private int position;
    private String draft = "";

    /** Puts entries of earlier runs before those of this one. */
    public void load(List<String> earlier) {
        entries.addAll(0, earlier);
        position = entries.size();
    }

    /** Adds a used prompt; blank ones and repetitions of the last are passed over. */
    public boolean add(String prompt) {
        position = entries.size();
        if (prompt.isBlank() || !entries.isEmpty() && entries.get(entries.size() - 1).equals(prompt)) {
            return false;
        }
        entries.add(prompt);
        if (entries.size() > MAX_ENTRIES) {
            entries.remove(0);
        }
        position = entries.size();
        return true;
    }

    /** The entry before, or {@code null} at the oldest; {@code current} is kept as the draft when the walk begins. */
    String older(String current) {
        if (position == 0) {
            return null;
        }
        if (position == entries.size()) {
            draft = current;
        }
        position--;
        return entries.get(position);
    }

    /** The entry after, the draft at the end, {@code null} beyond it. */
    String newer() {
        if (position >= entries.size()) {
            return null;
        }
        position++;
        return position == entries.size() ? draft : entries.get(position);
    }
}
