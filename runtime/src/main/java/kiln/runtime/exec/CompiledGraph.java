package kiln.runtime.exec;

import java.util.Map;

/** A graph ready to run, as often as wished. The creator closes it before its executor. */
public interface CompiledGraph extends AutoCloseable {
    /**
     * Runs it once.
     *
     * @param inputs by name, in the graph's layout {@code [batch, height, width, channels]}
     * @param progress told before each node; may throw to stop
     * @return outputs by name, in the same layout
     */
    Map<String, float[]> run(Map<String, float[]> inputs, Progress progress);

    @Override
    void close();

    /** Called before a node runs, with the FLOPs of this run that are done. */
    @FunctionalInterface
    interface Progress {
        Progress NONE = flops -> {};

        void at(double flopsDone);
    }
}
