package kiln.runtime.exec.cuda.program;

import java.util.List;
import kiln.kernels.KernelCall;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.ConvolutionPlan;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.MultiplyPlan;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.ProductOperands;

/** A convolution or a linear layer over a map, to be launched for all of its rows or for a band of them, with the same result to the bit. */
sealed interface RowProduct {
    /**
     * Addresses that all bands share.
     *
     * @param work of {@link #workBytes}
     * @param factors of the norm that is applied on load; without one, ignored
     */
    record Operands(long weights, long scales, long work, long bias, long factors) {}

    /** The band of some of the result's rows, with the rows of the input that it needs. */
    Convolution.Band band(int firstRow, int rows);

    /**
     * @param in address of the band's first input row; {@code out} and the inputs likewise begin with the band's first row
     */
    List<KernelCall> calls(Operands operands, Convolution.Band band, long in, long out, List<Epilogue.Input> inputs);

    long workBytes();

    /** What is done to the input as it is loaded. */
    OnLoad onLoad();

    /** Of how many positions the statistics are that the epilogue leaves; 0 when it leaves none. */
    int statisticsSlice();

    /** What a band's rows must be a multiple of, so that its slices are the whole's and a doubled picture's rows come in twos. */
    int bandRowsMultiple();

    record OfWindows(ConvolutionPlan plan) implements RowProduct {
        @Override
        public Convolution.Band band(int firstRow, int rows) {
            return plan.convolution().band(plan.shape(), firstRow, rows);
        }

        @Override
        public List<KernelCall> calls(Operands o, Convolution.Band band, long in, long out, List<Epilogue.Input> inputs) {
            OnLoad.Factors factors = new OnLoad.Factors(o.factors, 1);
            return plan.calls(new ProductOperands(in, factors, o.weights, o.scales, out, o.work, o.bias, inputs), band);
        }

        @Override
        public long workBytes() {
            return plan.workBytes();
        }

        @Override
        public OnLoad onLoad() {
            return plan.convolution().onLoad();
        }

        @Override
        public int statisticsSlice() {
            return plan.statisticsSlice();
        }

        @Override
        public int bandRowsMultiple() {
            return plan.bandRowsMultiple();
        }
    }

    /**
     * @param positions of a picture
     * @param width positions of a row of the map, over all pictures
     */
    record OfPositions(MultiplyPlan plan, int positions, int width) implements RowProduct {
        @Override
        public Convolution.Band band(int firstRow, int rows) {
            return new Convolution.Band(firstRow, rows, firstRow, rows);
        }

        @Override
        public List<KernelCall> calls(Operands o, Convolution.Band band, long in, long out, List<Epilogue.Input> inputs) {
            OnLoad.Factors factors = new OnLoad.Factors(o.factors, positions);
            ProductOperands operands = new ProductOperands(in, factors, o.weights, o.scales, out, o.work, o.bias, inputs);
            return plan.calls(operands, MatrixMultiply.Batch.ONE, band.rows() * width);
        }

        @Override
        public long workBytes() {
            return plan.workBytes();
        }

        @Override
        public OnLoad onLoad() {
            return plan.product().onLoad();
        }

        @Override
        public int statisticsSlice() {
            return plan.statisticsSlice();
        }

        @Override
        public int bandRowsMultiple() {
            return statisticsSlice() == 0 ? 1 : GroupNormStatistics.rowsOfSlices(width, statisticsSlice());
        }
    }
}
