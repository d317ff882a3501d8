package kiln.runtime.exec.cuda.run;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.DataType;
import kiln.kernels.HalfFloats;
import kiln.runtime.exec.cuda.program.DeviceProgram;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Shape;

/** A graph's inputs and outputs between Java and the card, by way of one pinned buffer. */
public final class GraphTransfers {
    private final DeviceProgram program;
    private final Graph graph;
    private final Map<Integer, Long> places = new TreeMap<>();
    private final long bytes;

    public GraphTransfers(DeviceProgram program) {
        this.program = program;
        graph = program.graph();
        long at = 0;
        for (Map<String, Integer> nodes : List.of(graph.inputs(), graph.outputs())) {
            for (int node : nodes.values()) {
                if (places.putIfAbsent(node, at) == null) {
                    at += DeviceWeight.align(length(node));
                }
            }
        }
        bytes = at;
    }

    /** Of the buffer. */
    public long bytes() {
        return bytes;
    }

    private long length(int node) {
        return graph.shapeOf(node).elements() * program.typeOf(node).bytes();
    }

    private ByteBuffer buffer(PinnedMemory pinned, int node) {
        int begin = Math.toIntExact(places.get(node));
        return pinned.bytes().clear().position(begin).limit(Math.toIntExact(begin + length(node)));
    }

    /** @throws IllegalArgumentException for an input that is missing or of the wrong size */
    public void write(Map<String, float[]> inputs, PinnedMemory pinned) {
        graph.inputs().forEach((name, node) -> {
            float[] values = inputs.get(name);
            Shape shape = graph.shapeOf(node);
            if (values == null || values.length != shape.elements()) {
                throw new IllegalArgumentException(
                        "input " + name + " needs " + shape + ", found " + (values == null ? "nothing" : values.length + " values"));
            }
            ByteBuffer target = buffer(pinned, node);
            if (program.typeOf(node) == DataType.F32) {
                target.asFloatBuffer().put(values);
            } else {
                for (float value : values) {
                    target.putShort(HalfFloats.toHalf(value));
                }
            }
        });
    }

    public void toDevice(CudaContext context, PinnedMemory pinned, long arena, Stream stream) {
        for (int node : graph.inputs().values()) {
            context.copyToDevice(pinned, places.get(node), arena + program.plan().offset(node), length(node), stream);
        }
    }

    public void toHost(CudaContext context, PinnedMemory pinned, long arena, Stream stream) {
        for (int node : graph.outputs().values()) {
            context.copyToHost(arena + program.plan().offset(node), pinned, places.get(node), length(node), stream);
        }
    }

    /** After {@link #toHost} is done. */
    public Map<String, float[]> read(PinnedMemory pinned) {
        Map<String, float[]> outputs = new HashMap<>();
        graph.outputs().forEach((name, node) -> {
            float[] values = new float[Math.toIntExact(graph.shapeOf(node).elements())];
            ByteBuffer from = buffer(pinned, node);
            if (program.typeOf(node) == DataType.F32) {
                from.asFloatBuffer().get(values);
            } else {
                for (int i = 0; i < values.length; i++) {
                    values[i] = HalfFloats.toFloat(from.getShort());
                }
            }
            outputs.put(name, values);
        });
        return outputs;
    }
}
