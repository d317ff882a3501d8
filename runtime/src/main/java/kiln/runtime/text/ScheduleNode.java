package kiln.runtime.text;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/** A piece of a prompt whose text changes in the course of a picture: a {@link ScheduleGrammar} makes them. */
sealed interface ScheduleNode {
    /** Text that stays, brackets of attention included. */
    record Text(String text) implements ScheduleNode {}

    /**
     * {@code [before:after:when]}.
     *
     * @param when a number as written, see {@link ScheduleSteps}
     */
    record Change(List<ScheduleNode> before, List<ScheduleNode> after, String when) implements ScheduleNode {
        public Change {
            before = List.copyOf(before);
            after = List.copyOf(after);
        }
    }

    /** {@code [a|b|…]}: each call takes the next one. */
    record Alternation(List<List<ScheduleNode>> choices) implements ScheduleNode {
        public Alternation {
            choices = List.copyOf(choices);
        }
    }

    /** The text that call {@code call}, counted from 1, sees. Changes may be as deep as the text is long, so this does not recurse. */
    static String textAt(List<ScheduleNode> nodes, ScheduleSteps steps, int call) {
        StringBuilder out = new StringBuilder();
        Deque<Iterator<ScheduleNode>> open = new ArrayDeque<>();
        open.push(nodes.iterator());
        while (!open.isEmpty()) {
            if (!open.peek().hasNext()) {
                open.pop();
                continue;
            }
            ScheduleNode node = open.peek().next();
            if (node instanceof Text text) {
                out.append(text.text);
            } else if (node instanceof Change change) {
                open.push((call <= steps.until(change.when) ? change.before : change.after).iterator());
            } else if (node instanceof Alternation alternation) {
                open.push(alternation.choices.get((call - 1) % alternation.choices.size()).iterator());
            }
        }
        return out.toString();
    }

    /** Text that parses to these nodes. */
    static String print(List<ScheduleNode> nodes) {
        StringBuilder out = new StringBuilder();
        Deque<Object> rest = new ArrayDeque<>();
        rest.push(nodes.iterator());
        while (!rest.isEmpty()) {
            if (rest.peek() instanceof String mark) {
                out.append(mark);
                rest.pop();
                continue;
            }
            Iterator<?> iterator = (Iterator<?>) rest.peek();
            if (!iterator.hasNext()) {
                rest.pop();
                continue;
            }
            Object node = iterator.next();
            if (node instanceof Text text) {
                out.append(text.text);
            } else if (node instanceof Change change) {
                rest.push(":" + change.when + "]");
                rest.push(change.after.iterator());
                rest.push(":");
                rest.push(change.before.iterator());
                rest.push("[");
            } else if (node instanceof Alternation alternation) {
                rest.push("]");
                for (int i = alternation.choices.size() - 1; i >= 0; i--) {
                    rest.push(alternation.choices.get(i).iterator());
                    rest.push(i == 0 ? "[" : "|");
                }
            }
        }
        return out.toString();
    }
}
