package kiln.runtime.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A1111's grammar of prompts that change: {@code [from:to:when]}, {@code [to:when]}, {@code [from::when]} and {@code [a|b|…]}, nested as
 * one likes, among the brackets of attention, which stay text.
 *
 * <p>Brackets that belong to no such form are text, and so is a colon outside of brackets. Three things make the whole prompt plain
 * text, since the original's grammar has no place for them: a {@code |} that separates no choices, and a backslash at the end of the
 * text or of a line. Where the original's grammar is ambiguous (brackets too many), forms are preferred to text.
 *
 * <p>Time and memory are linear in the length of the text; nothing recurses.
 */
final class ScheduleGrammar {
    private static final Pattern NUMBER =
            Pattern.compile("[+-]?(?:[0-9]+[eE][+-]?[0-9]+|(?:[0-9]+\\.[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+)");

    private final String prompt;

    /** Finished nodes, and the text of open brackets, in the prompt's order. */
    private final List<ScheduleNode> nodes = new ArrayList<>();

    private final Deque<Bracket> open = new ArrayDeque<>();
    private boolean changes;
    private int textStart;

    private ScheduleGrammar(String prompt) {
        this.prompt = prompt;
    }

    /** The prompt's nodes; one text where nothing changes. */
    static List<ScheduleNode> parse(String prompt) {
        ScheduleGrammar grammar = new ScheduleGrammar(prompt);
        if (!grammar.read() || !grammar.changes) {
            return List.of(new ScheduleNode.Text(prompt));
        }
        return List.copyOf(grammar.nodes);
    }

    /** Whether the grammar has a place for all of the prompt. */
    private boolean read() {
        for (int i = 0; i < prompt.length(); i++) {
            char c = prompt.charAt(i);
            switch (c) {
                case '\\' -> {
                    i++;
                    if (i == prompt.length() || prompt.charAt(i) == '\n') {
                        return false;
                    }
                }
                case '[', '(' -> {
                    text(i, i + 1);
                    open.push(new Bracket(c, nodes.size(), i + 1));
                }
                case ':' -> colon(i);
                case '|' -> {
                    if (open.isEmpty() || !open.peek().choice()) {
                        return false;
                    }
                    text(i, i + 1);
                    open.peek().separate(nodes.size(), i + 1);
                }
                case ')' -> close(i, '(');
                case ']' -> close(i, '[');
                default -> { }
            }
            if (textStart < 0) {
                return false;
            }
        }
        text(prompt.length(), prompt.length());
        return giveUp();
    }

    private void colon(int at) {
        if (open.isEmpty()) {
            return;
        }
        text(at, at + 1);
        if (open.peek().colon()) {
            open.peek().separate(nodes.size(), at + 1);
        } else {
            closeInvalid();
        }
    }

    private void close(int at, char opening) {
        if (open.isEmpty()) {
            return;
        }
        Bracket bracket = open.peek();
        if (bracket.opening != opening) {
            closeInvalid();
            return;
        }
        text(at, at);
        if (bracket.starts.size() == 1 || opening == '(') {
            open.pop();
        } else if (bracket.choices) {
            open.pop();
            replace(bracket, new ScheduleNode.Alternation(parts(bracket)));
            textStart = at + 1;
        } else {
            String when = prompt.substring(bracket.lastSource, at);
            when = when.substring(PythonText.spaceEnd(when, 0), PythonText.spaceStart(when, PythonText.spaceEnd(when, 0), when.length()));
            if (!NUMBER.matcher(when).matches()) {
                closeInvalid();
                return;
            }
            open.pop();
            List<List<ScheduleNode>> parts = parts(bracket);
            List<ScheduleNode> before = parts.size() == 3 ? parts.get(0) : List.of();
            replace(bracket, new ScheduleNode.Change(before, parts.get(parts.size() - 2), when));
            textStart = at + 1;
        }
    }

    /** Adds the plain text since the last node, and what stands from {@code at} to {@code end}, as nodes. */
    private void text(int at, int end) {
        if (at > textStart) {
            nodes.add(new ScheduleNode.Text(prompt.substring(textStart, at)));
        }
        if (end > at) {
            nodes.add(new ScheduleNode.Text(prompt.substring(at, end)));
        }
        textStart = end;
    }

    private void closeInvalid() {
        if (!giveUp()) {
            textStart = -1;
        }
    }

    /** What is open is text after all: a bracket around something that is no form is none itself. False if that leaves a "|" behind. */
    private boolean giveUp() {
        for (Bracket bracket : open) {
            if (bracket.choices) {
                return false;
            }
        }
        open.clear();
        return true;
    }

    private List<List<ScheduleNode>> parts(Bracket bracket) {
        List<List<ScheduleNode>> parts = new ArrayList<>();
        for (int i = 0; i < bracket.starts.size(); i++) {
            int end = i + 1 < bracket.starts.size() ? bracket.starts.get(i + 1) - 1 : nodes.size();
            parts.add(List.copyOf(nodes.subList(bracket.starts.get(i), end)));
        }
        return parts;
    }

    private void replace(Bracket bracket, ScheduleNode node) {
        nodes.subList(bracket.starts.get(0) - 1, nodes.size()).clear();
        nodes.add(node);
        changes = true;
    }

    /** An open bracket and where, among the nodes, its parts start. */
    private static final class Bracket {
        private static final int MOST_COLONS = 2;

        final char opening;
        final List<Integer> starts = new ArrayList<>(3);
        boolean choices;

        /** Where the last part starts in the prompt. */
        int lastSource;

        Bracket(char opening, int start, int source) {
            this.opening = opening;
            separate(start, source);
        }

        void separate(int start, int source) {
            starts.add(start);
            lastSource = source;
        }

        /** Whether a colon may stand here: one in round brackets, two in square ones without choices. */
        boolean colon() {
            return !choices && starts.size() <= (opening == '(' ? 1 : MOST_COLONS);
        }

        /** Takes a "|", if it may stand here. */
        boolean choice() {
            boolean allowed = opening == '[' && (choices || starts.size() == 1);
            choices |= allowed;
            return allowed;
        }
    }
}
