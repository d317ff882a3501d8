package kiln.runtime.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A prompt as the denoiser's calls see it, one text after another.
 *
 * @param entries at least one, their {@code until} rising
 */
public record PromptSchedule(List<Entry> entries) {
    public PromptSchedule {
        entries = List.copyOf(entries);
        if (entries.isEmpty()) {
            throw new IllegalArgumentException("a schedule without a text");
        }
    }

    /**
     * @param until the last call that sees this text, calls counted from 0: the first text is seen once more often than its number
     */
    public record Entry(int until, String text) {}

    /** The schedule of a prompt that has no comments, networks or AND left. */
    public static PromptSchedule of(String prompt, ScheduleSteps steps) {
        List<ScheduleNode> nodes = ScheduleGrammar.parse(prompt);
        List<Entry> entries = new ArrayList<>();
        Map<String, String> known = new HashMap<>();
        for (int until : ends(nodes, steps)) {
            String text = ScheduleNode.textAt(nodes, steps, until);
            entries.add(new Entry(until, known.computeIfAbsent(text, same -> text)));
        }
        return new PromptSchedule(entries);
    }

    /** The text of a call, counted from 0; as in A1111 a call past the last entry gets the first one again. */
    public Entry at(int call) {
        for (Entry entry : entries) {
            if (call <= entry.until) {
                return entry;
            }
        }
        return entries.get(0);
    }

    /** The texts of all entries, repetitions included. */
    public List<String> texts() {
        return entries.stream().map(Entry::text).toList();
    }

    /** Where entries end, in order: at each change that has calls before it, at each call if anything alternates, and at the end. */
    private static Iterable<Integer> ends(List<ScheduleNode> nodes, ScheduleSteps steps) {
        TreeSet<Integer> ends = new TreeSet<>();
        ends.add(steps.calls());
        Deque<ScheduleNode> rest = new ArrayDeque<>(nodes);
        boolean alternates = false;
        while (!rest.isEmpty()) {
            ScheduleNode node = rest.pop();
            if (node instanceof ScheduleNode.Change change) {
                int until = steps.until(change.when());
                if (until >= 1) {
                    ends.add(until);
                }
                change.before().forEach(rest::push);
                change.after().forEach(rest::push);
            } else if (node instanceof ScheduleNode.Alternation alternation) {
                alternates = true;
                alternation.choices().forEach(choice -> choice.forEach(rest::push));
            }
        }
        for (int call = 1; alternates && call < steps.calls(); call++) {
            ends.add(call);
        }
        return ends;
    }
}
