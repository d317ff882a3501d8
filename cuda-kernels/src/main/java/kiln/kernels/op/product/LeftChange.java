package kiln.kernels.op.product;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * The text of an {@link OnLoad} in a {@link TiledProduct} whose left factor's rows are pictures, one behind the other.
 *
 * @param positions rows of a picture
 */
record LeftChange(LoadText text, Value positions) {
    /** Declares the parameters; {@code null} where nothing is changed. */
    static LeftChange of(PtxFunction f, OnLoad onLoad, DataType type, Value channels) {
        if (onLoad == OnLoad.NOTHING) {
            return null;
        }
        Value factors = f.parameter("factors", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        return new LeftChange(new LoadText(f, onLoad, type, factors, channels), positions);
    }

    /** Their arguments. */
    static void addArguments(List<Object> arguments, OnLoad onLoad, OnLoad.Factors factors) {
        if (onLoad != OnLoad.NOTHING) {
            arguments.add(factors.address());
            arguments.add(factors.positions());
        }
    }

    /**
     * A thread's slots ({@link TiledProduct.Slice}): the same channels of several rows, which may be of different pictures. One slice is
     * changed after the other, in each all slots in their order. Factors are loaded only then, when the multiplication's operands have left
     * their registers: all threads read the few that a slice's channels have.
     */
    final class Slots {
        private final PtxFunction f = text.f();
        private final boolean vector;
        private final LoadText.Neighbours neighbours;
        /** Where the factors of the first slot's picture begin, and how many rows from that slot on are this picture's. */
        private final Value begin;

        private final Value remaining;
        /** For each slot, whether its row exists. */
        private final Value[] valid;
        /** Rows from slot to slot. */
        private final int step;
        /** First channel of the slice that is changed next. */
        private final Value channel = f.register(PtxType.U32);

        /**
         * @param row of the left factor, of the first slot
         * @param valid for each slot, whether its row exists
         * @param rows of the left factor
         * @param slice that the slots are of
         * @param vector whether channels are a multiple of a slot's
         */
        Slots(Value row, Value[] valid, Value rows, TiledProduct.Slice slice, boolean vector) {
            this.valid = valid;
            this.vector = vector;
            step = slice.step;
            neighbours = text.neighbours(slice.unit);
            // A row beyond the last takes its picture: its elements stay zeros, but factors are loaded.
            Value existing = f.compute(PtxOp.MIN, row, f.sub(rows, Value.of(1)));
            Value picture = f.compute(PtxOp.DIV, existing, positions);
            begin = text.begin(picture);
            remaining = f.sub(f.mad(picture, positions, positions), existing);
        }

        /** Before the first slice. */
        void begin(Value firstChannel) {
            f.assign(channel, PtxOp.MOV, firstChannel);
        }

        /** Behind a slice's last slot. */
        void next(int depth) {
            f.assign(channel, PtxOp.ADD, channel, Value.of(depth));
        }

        /** A slot's elements changed, whether they exist or not. */
        Value[] floats(int slot, Value... values) {
            loadFactors(slot);
            return text.floats(neighbours, values);
        }

        /** The same for pairs of halves. */
        Value[] words(Arithmetic arithmetic, int slot, Value... words) {
            loadFactors(slot);
            return text.words(arithmetic, neighbours, words);
        }

        /** Whether an element of a slot exists; with vectors all of a slot's do, or none. Others have to stay zeros. */
        Value inside(int slot, int element) {
            Value at = element == 0 ? channel : f.add(channel, Value.of(element));
            return f.compute(PtxOp.AND, valid[slot], Code.less(f, at, text.channels()));
        }

        /** Those of the first slot serve as well, but behind its picture's last row. */
        private void loadFactors(int slot) {
            if (slot == 0) {
                emitLoads(begin);
                return;
            }
            Value rows = Value.of(slot * step);
            Value other = f.compare(Comparison.LESS_OR_EQUAL, remaining, rows);
            f.when(f.compute(PtxOp.AND, other, valid[slot]), () -> {
                // Seldom more than one picture on: counting them takes fewer registers than a division.
                Value behind = f.sub(rows, remaining);
                Value length = text.begin(Value.of(1));
                Value at = f.add(begin, length);
                f.loop(() -> f.compare(Comparison.GREATER_OR_EQUAL, behind, positions), () -> {
                    f.assign(behind, PtxOp.SUB, behind, positions);
                    f.assign(at, PtxOp.ADD, at, length);
                });
                emitLoads(at);
            });
        }

        private void emitLoads(Value pictureBegin) {
            if (vector) {
                Value last = f.sub(text.channels(), Value.of(neighbours.factors().length));
                text.load(neighbours, pictureBegin, f.compute(PtxOp.MIN, channel, last));
            } else {
                text.loadEach(neighbours, pictureBegin, channel);
            }
        }
    }
}
