package kiln.weights.pickle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What a pickle describes beyond plain values. Plain ones are Java's own: null for None, {@link Boolean}, {@link Long},
 * {@link java.math.BigInteger} (only when a long is too short), {@link Double}, {@link String} and {@code byte[]}.
 *
 * <p>Values may be shared and may contain themselves, so all of them compare by identity, and whoever walks them limits
 * depth and steps.
 */
public sealed interface Inert {
    /** What calling {@code callable} with the sequence {@code arguments} would make. */
    static Instance call(Object callable, Object arguments, int position) {
        return new Instance(callable, arguments, position);
    }

    /** A list, tuple, set or frozenset. */
    final class Sequence implements Inert {
        private List<Object> items;

        Sequence() {
            this.items = Collections.emptyList();
        }

        Sequence(Object... items) {
            this.items = Arrays.asList(items);
        }

        public List<Object> items() {
            return Collections.unmodifiableList(items);
        }

        void addAll(List<Object> more) {
            if (!(items instanceof ArrayList)) {
                items = new ArrayList<>(items);
            }
            items.addAll(more);
        }
    }

    /** A dict: entries in the order of insertion; a key that was set twice is there twice. */
    final class Dict implements Inert {
        private List<Object> alternating = Collections.emptyList();

        public int size() {
            return alternating.size() / 2;
        }

        public Object key(int entry) {
            return alternating.get(2 * entry);
        }

        public Object value(int entry) {
            return alternating.get(2 * entry + 1);
        }

        /** The value of a string key that was set last; null when there is none. */
        public Object get(String key) {
            for (int entry = size() - 1; entry >= 0; entry--) {
                if (key.equals(key(entry))) {
                    return value(entry);
                }
            }
            return null;
        }

        /** Adds keys and values, taking turns. */
        void putAll(List<Object> more) {
            if (alternating.isEmpty()) {
                alternating = new ArrayList<>(more.size());
            }
            alternating.addAll(more);
        }
    }

    /** The name of a Python class or function, which is never looked up. */
    final class Global implements Inert {
        private static final int MAX_NAME_LENGTH = 256;

        private final String module;
        private final String name;

        Global(String module, String name) {
            this.module = module;
            this.name = name;
        }

        /** Module and name, joined by a dot; empty when that is longer than any name that means something. */
        public String qualifiedName() {
            return module.length() + name.length() < MAX_NAME_LENGTH ? module + "." + name : "";
        }
    }

    /** What calling {@code callable} with {@code arguments} would have made, and what was put into it afterwards. */
    final class Instance implements Inert {
        private final Object callable;
        private final Object arguments;
        private final int position;
        private Dict entries;
        private Sequence items;
        private Object state;

        Instance(Object callable, Object arguments, int position) {
            this.callable = callable;
            this.arguments = arguments;
            this.position = position;
        }

        /** Byte in the pickle's input where it was made. */
        public int position() {
            return position;
        }

        /** The qualified name of the callable; empty when it is no plain global. */
        public String callableName() {
            return callable instanceof Global global ? global.qualifiedName() : "";
        }

        /** Positional arguments; empty when they are no sequence. */
        public List<Object> arguments() {
            return arguments instanceof Sequence sequence ? sequence.items() : List.of();
        }

        /** Entries set as on a dict, or null. */
        public Dict entries() {
            return entries;
        }

        /** Items appended as on a list, or null. */
        public Sequence items() {
            return items;
        }

        /** The state given by BUILD: a dict as a rule; null when none. */
        public Object state() {
            return state;
        }

        Dict entriesForWriting() {
            if (entries == null) {
                entries = new Dict();
            }
            return entries;
        }

        Sequence itemsForWriting() {
            if (items == null) {
                items = new Sequence();
            }
            return items;
        }

        void setState(Object state) {
            this.state = state;
        }
    }

    /** A persistent id: torch's way to name a storage that lies outside the pickle. */
    final class Reference implements Inert {
        private final Object id;

        Reference(Object id) {
            this.id = id;
        }

        public Object id() {
            return id;
        }
    }
}
