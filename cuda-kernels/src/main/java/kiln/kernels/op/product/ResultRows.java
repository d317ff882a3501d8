package kiln.kernels.op.product;

import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Value;

/** Which rows of the result the lines of a warp's part of a tile are. */
interface ResultRows {
    /** That of a line which lies so many below this lane's first one; beyond the last where it is none. */
    Value row(int below);

    /** The number of the slice of statistics that the part is. */
    Value slice();

    /**
     * Neighbours, one for each line.
     *
     * @param part the result's row of the part's first line
     * @param first that of this lane's first line
     */
    record Consecutive(PtxFunction f, Value part, Value first, int perSlice) implements ResultRows {
        static Consecutive of(PtxFunction f, Value tileRow, Value partRow, Value line, int perSlice) {
            Value part = f.add(tileRow, partRow);
            return new Consecutive(f, part, f.add(part, line), perSlice);
        }

        @Override
        public Value row(int below) {
            return f.add(first, Value.of(below));
        }

        @Override
        public Value slice() {
            return f.compute(PtxOp.DIV, part, Value.of(perSlice));
        }
    }
}
