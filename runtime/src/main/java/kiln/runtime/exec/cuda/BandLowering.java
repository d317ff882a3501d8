package kiln.runtime.exec.cuda;

import kiln.kernels.op.Convolution;
import kiln.runtime.exec.cuda.DeviceCommand.Lane;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

/**
 * A product whose operands or result are on the host: computed from one band of rows after another, which are copied to the device and back
 * while the card computes the bands between.
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
        int most = p.bands.rows(index);
        int count = (height + most - 1) / most;
        boolean copiesIn = p.bands.isOnHost(source) || !buffers.added().isEmpty();
        for (int i = 0; i < count; i++) {
            Convolution.Band band = band(product, i);
            if (copiesIn) {
                // The copies for the next band begin before this one is computed.
                if (i == 0) {
                    await(Lane.TO_DEVICE, Lane.COMPUTE);
                    copyIn(band, 0);
                }
                await(Lane.COMPUTE, Lane.TO_DEVICE);
                if (i + 1 < count) {
                    await(Lane.TO_DEVICE, Lane.COMPUTE);
                    copyIn(band(product, i + 1), i + 1);
                }
            }
            long set = base + buffers.begin(i);
            long in = input(band, factors, set);
            long out = buffers.out() < 0 ? onDevice(index, band.firstRow()) : set + buffers.out();
            product.calls(band, in, out, ProductLowering.inputs(p, index, other -> added(other, band.firstRow(), set))).forEach(p::add);
            if (buffers.out() >= 0) {
                // The next band waits for the copy of the one before this; what follows the last one, for all.
                if (i + 1 < count) {
                    await(Lane.COMPUTE, Lane.TO_HOST);
                }
                await(Lane.TO_HOST, Lane.COMPUTE);
                p.add(new DeviceCommand.CopyToHost(out, onHost(index, band.firstRow()), band.rows() * p.rowBytes(index)));
                if (i + 1 == count) {
                    await(Lane.COMPUTE, Lane.TO_HOST);
                }
            }
            p.endStep(graph.flops(node) * band.rows() / height);
        }
    }

    private Convolution.Band band(RowProduct product, int number) {
        int first = number * p.bands.rows(index);
        return product.band(first, Math.min(p.bands.rows(index), graph.shapeOf(index).height() - first));
    }

    private void await(Lane waiting, Lane other) {
        p.add(new DeviceCommand.Await(waiting, other));
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
        long sliceBytes = (long) NormLowering.positionsPerSlice(graph.node(norm)) * firstPositionBytes;
        int most = (int) Math.min(factors.slices(), buffers.setBytes() / sliceBytes);
        await(Lane.TO_DEVICE, Lane.COMPUTE);
        p.add(new DeviceCommand.CopyToDevice(onHost(source, 0), firstPosition, firstPositionBytes));
        copySlices(0, most * sliceBytes, 0);
        for (int i = 0; i * most < factors.slices(); i++) {
            int slice = i * most;
            int count = Math.min(most, factors.slices() - slice);
            await(Lane.COMPUTE, Lane.TO_DEVICE);
            if (slice + count < factors.slices()) {
                await(Lane.TO_DEVICE, Lane.COMPUTE);
                copySlices((slice + count) * sliceBytes, most * sliceBytes, i + 1);
            }
            factors.sumSlices(base + buffers.begin(i), firstPosition, slice, count);
            p.endStep(graph.flops(graph.node(norm)) * count / factors.slices());
        }
        factors.finish(firstPosition);
        return factors;
    }

    /** Slices that lie behind the map's end have nothing. */
    private void copySlices(long begin, long most, int number) {
        long bytes = Math.min(most, graph.shapeOf(source).height() * p.rowBytes(source) - begin);
        if (bytes > 0) {
            p.add(new DeviceCommand.CopyToDevice(onHost(source, 0) + begin, base + buffers.begin(number), bytes));
        }
    }

    private void copyIn(Convolution.Band band, int number) {
        long set = base + buffers.begin(number);
        if (p.bands.isOnHost(source)) {
            p.add(new DeviceCommand.CopyToDevice(
                    onHost(source, band.inFirstRow()), set + buffers.in(), band.inRows() * p.rowBytes(source)));
        }
        buffers.added().forEach((other, place) -> p.add(new DeviceCommand.CopyToDevice(
                onHost(other, band.firstRow()), set + place, band.rows() * p.rowBytes(other))));
    }

    private long input(Convolution.Band band, NormLowering.Factors factors, long set) {
        long from = p.bands.isOnHost(source) ? set + buffers.in() : onDevice(source, band.inFirstRow());
        if (factors == null) {
            return from;
        }
        factors.apply(from, set + buffers.in(), 1, band.inRows() * graph.shapeOf(source).width());
        return set + buffers.in();
    }

    private long added(int other, int row, long set) {
        return p.bands.isOnHost(other) ? set + buffers.added().get(other) : onDevice(other, row);
    }

    private long onDevice(int node, int row) {
        return p.result(node) + row * p.rowBytes(node);
    }

    private long onHost(int node, int row) {
        return p.bands.hostOffset(node) + row * p.rowBytes(node);
    }
}
