package kiln.runtime.exec.cuda;

import java.util.List;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Convolution;
import kiln.kernels.op.ConvolutionPlan;
import kiln.kernels.op.Epilogue;
import kiln.kernels.op.MatrixMultiply;
import kiln.kernels.op.MultiplyPlan;

/** A convolution or a linear layer over a map, to be launched for all of its rows or for a band of them, with the same result to the bit. */
sealed interface RowProduct {
    /** The band of some of the result's rows, with the rows of the input that it needs. */
    Convolution.Band band(int firstRow, int rows);

    /**
     * @param in address of the band's first input row; {@code out} and the inputs likewise begin with the band's first row
     */
    List<KernelCall> calls(Convolution.Band band, long in, long out, List<Epilogue.Input> inputs);

    /** @param work of {@link ConvolutionPlan#workBytes} */
    record OfWindows(ConvolutionPlan plan, long weights, long scales, long work, long bias) implements RowProduct {
        @Override
        public Convolution.Band band(int firstRow, int rows) {
            return plan.convolution().band(plan.shape(), firstRow, rows);
        }

        @Override
        public List<KernelCall> calls(Convolution.Band band, long in, long out, List<Epilogue.Input> inputs) {
            return plan.calls(in, weights, scales, out, work, band, bias, inputs);
        }
    }

    /**
     * @param positions of a row of the map, over all pictures
     * @param work of {@link MultiplyPlan#workBytes}
     */
    record OfPositions(MultiplyPlan plan, int positions, long weights, long scales, long work, long bias) implements RowProduct {
        @Override
        public Convolution.Band band(int firstRow, int rows) {
            return new Convolution.Band(firstRow, rows, firstRow, rows);
        }

        @Override
        public List<KernelCall> calls(Convolution.Band band, long in, long out, List<Epilogue.Input> inputs) {
            return plan.calls(in, weights, scales, out, work, MatrixMultiply.Batch.ONE, band.rows() * positions, bias, inputs);
        }
    }
}
