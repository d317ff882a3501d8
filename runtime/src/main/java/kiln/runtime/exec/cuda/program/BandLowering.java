package kiln.runtime.exec.cuda.program;

import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.OnLoad;
import kiln.runtime.exec.cuda.program.DeviceCommand.Lane;
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
        RowProduct product = p.products.own(index);
        RowProduct.Operands operands = ProductLowering.operands(p, index);
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
            long in = input(band, product, set);
            long out = buffers.out() < 0 ? onDevice(index, band.firstRow()) : set + buffers.out();
            product.calls(operands, band, in, out, ProductLowering.inputs(p, index, band.firstRow(), other -> added(other, band.firstRow(), set)))
                    .forEach(p::add);
            NormLowering.statistics(p, index, out, band.firstRow(), band.rows());
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

    private void copyIn(Convolution.Band band, int number) {
        long set = base + buffers.begin(number);
        if (p.bands.isOnHost(source)) {
            p.add(new DeviceCommand.CopyToDevice(
                    onHost(source, band.inFirstRow()), set + buffers.in(), band.inRows() * p.rowBytes(source)));
        }
        buffers.added().forEach((other, place) -> p.add(new DeviceCommand.CopyToDevice(
                onHost(other, band.firstRow()), set + place, band.rows() * p.rowBytes(other))));
    }

    private long input(Convolution.Band band, RowProduct product, long set) {
        long from = p.bands.isOnHost(source) ? set + buffers.in() : onDevice(source, band.inFirstRow());
        if (norm < 0 || product.onLoad() != OnLoad.NOTHING) {
            return from;
        }
        NormLowering.apply(p, norm, p.result(norm), from, set + buffers.in(), 1, band.inRows() * graph.shapeOf(source).width());
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
