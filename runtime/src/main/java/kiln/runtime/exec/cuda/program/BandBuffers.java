package kiln.runtime.exec.cuda.program;

import java.util.Map;
import java.util.TreeMap;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * What a product that is computed band by band keeps on the device: places behind one address. Of more bands than one there are two sets, so
 * that one is copied while the other is computed.
 *
 * @param in of the rows that it reads; −1 when they are read where they are
 * @param added of the rows that are added, by the node whose they are, for those on the host
 * @param out of the rows that it makes; −1 when they are made in their place
 * @param setBytes from one set to the next
 */
record BandBuffers(long in, Map<Integer, Long> added, long out, int sets, long setBytes) {
    BandBuffers {
        added = Map.copyOf(added);
    }

    static BandBuffers of(BandPlan bands, ProgramBuilder program, int index, int rows) {
        Node node = program.graph.node(index);
        int source = bands.sourceOf(index);
        boolean isCopied = bands.isOnHost(source) || bands.appliesNormBefore(index);
        long at = 0;
        long in = -1;
        if (isCopied) {
            in = at;
            at += DeviceWeight.align(inputRows(node, program.graph.shapeOf(source), rows) * program.rowBytes(source));
        }
        Map<Integer, Long> added = new TreeMap<>();
        for (PostOp postOp : node.postOps()) {
            if (postOp.kind() == PostOp.Kind.ADD && bands.isOnHost(postOp.input()) && !added.containsKey(postOp.input())) {
                added.put(postOp.input(), at);
                at += DeviceWeight.align(rows * program.rowBytes(postOp.input()));
            }
        }
        long out = -1;
        if (bands.isOnHost(index)) {
            out = at;
            at += DeviceWeight.align(rows * program.rowBytes(index));
        }
        return new BandBuffers(in, added, out, rows < node.shape().height() ? 2 : 1, at);
    }

    /** Of all of it. */
    long bytes() {
        return sets * setBytes;
    }

    /** Where the buffers of a band begin, by its number. */
    long begin(int number) {
        return number % sets * setBytes;
    }

    /** The most rows of the input that so many rows of the result need. */
    private static long inputRows(Node node, Shape input, int rows) {
        if (!(node.op() instanceof Op.Conv2d convolution)) {
            return rows;
        }
        int span = (rows - 1) * convolution.stride() + convolution.kernel();
        return Math.min(input.height(), convolution.upsample() ? span / 2 + 1 : span);
    }
}
