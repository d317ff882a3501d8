package kiln.runtime.exec.cuda;

import kiln.kernels.op.Convolution;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

/**
 * A product whose operands or result are on the host: computed from one band of rows after another, which are copied to the device and back.
 * Each element is computed as in the whole, so the result is the same to the bit.
 */
final class BandLowering {
    private final ProgramBuilder p;
    private final Graph graph;
    private final int index;
    private final int source;
    private final int norm;
    private final BandBuffers buffers;
    private final long base;

    private BandLowering(ProgramBuilder p, int index) {
        this.p = p;
        this.index = index;
        graph = p.graph;
        source = p.bands.sourceOf(index);
        norm = p.bands.normOf(index);
        buffers = BandBuffers.of(p.bands, p, index, p.bands.rows(index));
        base = p.work(buffers.bytes());
    }

    static void product(ProgramBuilder p, int index) {
        new BandLowering(p, index).product();
    }

    private void product() {
        NormLowering.Factors factors = norm < 0 ? null : factors();
        RowProduct product = ProductLowering.of(p, index);
        Node node = graph.node(index);
        int height = node.shape().height();
        for (int first = 0; first < height; first += p.bands.rows(index)) {
            int begin = first;
            int rows = Math.min(p.bands.rows(index), height - first);
            Convolution.Band band = product.band(first, rows);
            long in = input(band, factors);
            long out = buffers.out() < 0 ? onDevice(index, first) : base + buffers.out();
            product.calls(band, in, out, ProductLowering.inputs(p, index, other -> added(other, begin, rows))).forEach(p::add);
            if (buffers.out() >= 0) {
                p.add(new DeviceCommand.CopyToHost(out, onHost(index, first), rows * p.rowBytes(index)));
            }
            p.endStep(graph.flops(node) * rows / height);
        }
    }

    /** The norm's factors, from sums over the very slices that the whole has. */
    private NormLowering.Factors factors() {
        NormLowering.Factors factors = NormLowering.Factors.of(p, norm);
        if (!p.bands.isOnHost(source)) {
            factors.sum(p.result(source));
            factors.finish(p.result(source));
            p.endStep(graph.flops(graph.node(norm)));
            return factors;
        }
        long firstPositionBytes = BandBuffers.positionBytes(p, source);
        long firstPosition = p.work(firstPositionBytes);
        p.add(new DeviceCommand.CopyToDevice(onHost(source, 0), firstPosition, firstPositionBytes));
        long sliceBytes = (long) NormLowering.positionsPerSlice(graph.node(norm)) * firstPositionBytes;
        long mapBytes = graph.shapeOf(source).height() * p.rowBytes(source);
        int most = (int) Math.min(factors.slices(), buffers.bytes() / sliceBytes);
        for (int slice = 0; slice < factors.slices(); slice += most) {
            int count = Math.min(most, factors.slices() - slice);
            long begin = Math.min(mapBytes, slice * sliceBytes);
            long bytes = Math.min(mapBytes - begin, count * sliceBytes);
            if (bytes > 0) {
                p.add(new DeviceCommand.CopyToDevice(onHost(source, 0) + begin, base, bytes));
            }
            factors.sumSlices(base, firstPosition, slice, count);
            p.endStep(graph.flops(graph.node(norm)) * count / factors.slices());
        }
        factors.finish(firstPosition);
        return factors;
    }

    private long input(Convolution.Band band, NormLowering.Factors factors) {
        long place = base + buffers.in();
        long from = place;
        if (p.bands.isOnHost(source)) {
            p.add(new DeviceCommand.CopyToDevice(onHost(source, band.inFirstRow()), place, band.inRows() * p.rowBytes(source)));
        } else {
            from = onDevice(source, band.inFirstRow());
        }
        if (factors == null) {
            return from;
        }
        factors.apply(from, place, 1, band.inRows() * graph.shapeOf(source).width());
        return place;
    }

    private long added(int other, int first, int rows) {
        if (!p.bands.isOnHost(other)) {
            return onDevice(other, first);
        }
        long place = base + buffers.added().get(other);
        p.add(new DeviceCommand.CopyToDevice(onHost(other, first), place, rows * p.rowBytes(other)));
        return place;
    }

    private long onDevice(int node, int row) {
        return p.result(node) + row * p.rowBytes(node);
    }

    private long onHost(int node, int row) {
        return p.bands.hostOffset(node) + row * p.rowBytes(node);
    }
}
