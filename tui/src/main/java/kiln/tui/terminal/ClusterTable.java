package kiln.tui.terminal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Stand-ins for clusters that Lanterna's cells cannot hold: a cell is one UTF-16 unit there, and wide characters spill into their
 * neighbours. Each such cluster gets a private-use character, which the cell buffer keeps and the writer translates back.
 */
final class ClusterTable {
    private static final char FIRST = '\ue000';
    /** The last private-use character marks second cells. */
    private static final int SIZE = 6399;

    private final Map<String, Character> standIns = new HashMap<>();
    private final List<String> clusters = new ArrayList<>();

    /** The stand-in for {@code cluster}; when all are taken, that of "?". */
    char standIn(String cluster) {
        Character known = standIns.get(cluster);
        if (known != null) {
            return known;
        }
        if (clusters.size() == SIZE) {
            return '?';
        }
        char fresh = (char) (FIRST + clusters.size());
        standIns.put(cluster, fresh);
        clusters.add(cluster);
        return fresh;
    }

    /** The text of a cell's character. */
    String text(char c) {
        int index = c - FIRST;
        return index >= 0 && index < clusters.size() ? clusters.get(index) : Character.toString(c);
    }
}
