package kiln.runtime.exec;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import kiln.runtime.graph.Op;

/**
 * An executor's code for each op, by the op's class: its own word on what it computes, which {@code OpTableTest} holds to {@link Op}'s list.
 *
 * @param <C> what the code works on besides the op: a run, a compilation
 */
public final class OpTable<C> {
    /** Code for one kind of op. */
    @FunctionalInterface
    public interface Code<C, T extends Op> {
        /** @param node the op's place in its graph */
        void run(C context, int node, T op);
    }

    /** Rows to be put together; not for use after {@link #build()}. */
    public static final class Builder<C> {
        private final String executor;
        private final Map<Class<? extends Op>, Code<C, Op>> rows = new HashMap<>();

        private Builder(String executor) {
            this.executor = executor;
        }

        public <T extends Op> Builder<C> row(Class<T> type, Code<C, T> code) {
            rows.put(type, (context, node, op) -> code.run(context, node, type.cast(op)));
            return this;
        }

        public OpTable<C> build() {
            return new OpTable<>(executor, rows);
        }
    }

    private final String executor;
    private final Map<Class<? extends Op>, Code<C, Op>> rows;

    private OpTable(String executor, Map<Class<? extends Op>, Code<C, Op>> rows) {
        this.executor = executor;
        this.rows = Map.copyOf(rows);
    }

    /** @param executor its name, for people */
    public static <C> Builder<C> of(String executor) {
        return new Builder<>(executor);
    }

    /** The ops that have code here. */
    public Set<Class<? extends Op>> ops() {
        return rows.keySet();
    }

    /** @throws IllegalArgumentException when there is no code for the op */
    public void run(C context, int node, Op op) {
        Code<C, Op> code = rows.get(op.getClass());
        if (code == null) {
            throw new IllegalArgumentException("the " + executor + " executor has no code for " + op);
        }
        code.run(context, node, op);
    }
}
