package kiln.runtime.exec.cuda.measure;

import java.util.List;
import java.util.Objects;
import kiln.kernels.KernelCall;
import kiln.runtime.exec.cuda.program.Address;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/**
 * A launch to be timed. Its addresses are symbols ({@link Address}): results lie in one arena, and parameters are counted from 0.
 *
 * @param group what it belongs to: a network's name, "attention"
 * @param text the node and its sizes, for people
 * @param count launches like this one in a run of the network; 0 where it belongs to none
 * @param flops multiplications and additions, counted as two; 0 for what only moves and adds
 * @param bytes that must be moved at least: every operand once, scratch memory not counted
 * @param parameterBytes of each block of parameters that it reads
 */
record Workload(String group, String text, KernelCall call, int count, double flops, double bytes, long arenaBytes, List<Long> parameterBytes) {
    Workload {
        Objects.requireNonNull(group, "group");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(call, "call");
        parameterBytes = List.copyOf(parameterBytes);
    }

    Workload withCount(int other) {
        return new Workload(group, text, call, other, flops, bytes, arenaBytes, parameterBytes);
    }

    /** What it is found by. */
    String name() {
        return group + " " + call.kernel().name() + " " + call.kernel().variant() + " " + text;
    }

    /** Bytes of all its blocks of parameters side by side. */
    long allParameterBytes() {
        return parameterBytes.stream().mapToLong(DeviceWeight::align).sum();
    }
}
