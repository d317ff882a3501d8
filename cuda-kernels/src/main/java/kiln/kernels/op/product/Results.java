package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.op.Activation;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * The text that turns sums into results and stores them.
 *
 * @param type that results are stored in
 * @param columns of the sums; a result row has {@link Epilogue#resultColumns} of them
 * @param scales 32-bit floats that the columns' sums are multiplied by, or {@code null}
 * @param text what {@code epilogue} declared
 * @param doubling of a convolution of a doubled picture, where the sums' rows are positions of the picture; otherwise {@code null}: they are the
 *     result's
 */
public record Results(
        PtxFunction f,
        DataType type,
        Value out,
        Value outStride,
        Value rows,
        Value columns,
        Value scales,
        Epilogue epilogue,
        Epilogue.Text text,
        Doubling.Text doubling) {
    /** Of sums whose rows are the result's. */
    Results(
            PtxFunction f,
            DataType type,
            Value out,
            Value outStride,
            Value rows,
            Value columns,
            Value scales,
            Epilogue epilogue,
            Epilogue.Text text) {
        this(f, type, out, outStride, rows, columns, scales, epilogue, text, null);
    }

    /** One run of neighbouring columns: the epilogue's constants are loaded once for all of a thread's rows. */
    Run run(Value column, int count) {
        return new Run(column, count);
    }

    /**
     * Stores what {@link Epilogue.Step#STATISTICS} leaves of a slice, in the threads where {@code stores} holds and the slice is one of the
     * result's.
     *
     * @param row one of the slice's, of the sums
     * @param slice its number among the sums' rows
     * @param column the first of the statistics' columns
     */
    void storeStatistics(ColumnStatistics statistics, Value stores, Value row, Value slice, Value column) {
        Value there = f.compute(PtxOp.AND, Code.less(f, resultRow(row), rows), Code.less(f, column, columns));
        Value address = text.statisticsAddress(doubling == null ? slice : doubling.slice(slice), column, columns);
        f.guarded(f.compute(PtxOp.AND, stores, there), () -> statistics.store(f, Space.GLOBAL, address));
    }

    private Value resultRow(Value row) {
        return doubling == null ? row : doubling.resultRow(row);
    }

    final class Run {
        private final Value resultColumn;
        private final Value resultColumns;
        private final Value inRange;
        private final Value[] columnScales;
        private final Value[] biases;

        private Run(Value column, int count) {
            inRange = Code.less(f, column, columns);
            columnScales = scales == null ? null : loadScales(column, count);
            biases = text.biases(inRange, column, count);
            resultColumn = epilogue.geglu() ? f.compute(PtxOp.SHR, column, Value.of(1)) : column;
            resultColumns = epilogue.geglu() ? f.compute(PtxOp.SHR, columns, Value.of(1)) : columns;
        }

        private Value[] loadScales(Value column, int count) {
            Value[] result = new Value[count];
            for (int i = 0; i < count; i++) {
                result[i] = f.move(Value.of(0f));
            }
            f.guarded(inRange, () -> f.load(Space.GLOBAL, f.address(scales, column, Float.BYTES), 0, result));
            return result;
        }

        /** Returns what was stored, before it was rounded. */
        Value[] store(Value sumRow, Value... sums) {
            Value row = resultRow(sumRow);
            Value rowInRange = f.compute(PtxOp.AND, inRange, Code.less(f, row, rows));
            Value[] values = sums.clone();
            for (int i = 0; i < values.length; i++) {
                if (columnScales != null) {
                    values[i] = biases == null ? f.mul(values[i], columnScales[i]) : f.mad(values[i], columnScales[i], biases[i]);
                } else if (biases != null) {
                    values[i] = f.add(values[i], biases[i]);
                }
            }
            if (epilogue.geglu()) {
                values = geglu(values);
            }
            Value[] results = text.apply(values, rowInRange, row, resultColumn, resultColumns);
            Value address = f.address(out, f.mad(row, outStride, resultColumn), type.bytes());
            f.guarded(rowInRange, () -> Code.storeFloats(f, Space.GLOBAL, type, address, 0, results));
            return results;
        }

        private Value[] geglu(Value[] pairs) {
            Value[] result = new Value[pairs.length / 2];
            for (int i = 0; i < result.length; i++) {
                result[i] = f.mul(pairs[2 * i], Activation.GELU.emit(f, pairs[2 * i + 1]));
            }
            return result;
        }
    }
}
