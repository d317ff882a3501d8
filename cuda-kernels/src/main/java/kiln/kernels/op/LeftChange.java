package kiln.kernels.op;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * The text of an {@link OnLoad} in a {@link TiledProduct} whose left factor's neighbouring rows are pictures.
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
     * A thread's slots ({@link TiledProduct.Slice}): the same channels of several rows, which may be of different pictures. Their factors are
     * loaded behind the multiplication, where its operands' registers are free: 32 channels' are in the first-level cache after one load.
     */
    final class Slots {
        private final PtxFunction f = text.f();
        private final boolean vector;
        private final LoadText.Neighbours neighbours;
        /** For each slot, where its picture's factors begin, and whether its row exists. */
        private final Value[] begins;

        private final Value[] valid;
        /** First channel of what is on its way. */
        private final Value channel = f.register(PtxType.U32);

        /**
         * @param rows of the left factor, one for each slot, ascending
         * @param count of all rows
         * @param unit channels of a slot
         * @param vector whether channels are a multiple of it
         */
        Slots(Value[] rows, Value[] valid, Value count, int unit, boolean vector) {
            this.valid = valid;
            this.vector = vector;
            neighbours = text.neighbours(unit);
            begins = new Value[rows.length];
            // Rows beyond the last take its picture: their elements become zeros, but their factors are loaded.
            Value last = f.sub(count, Value.of(1));
            for (int i = 0; i < rows.length; i++) {
                begins[i] = text.begin(f.compute(PtxOp.DIV, f.compute(PtxOp.MIN, rows[i], last), positions));
            }
        }

        /** When loads of the channels from this one on begin. */
        void fetched(Value first) {
            f.assign(channel, PtxOp.MOV, first);
        }

        /** A slot's elements changed, zeros where there are none; slots come in their order, and all of them. */
        Value[] floats(int slot, Value... values) {
            loadFactors(slot);
            Value[] result = text.floats(neighbours, values);
            Value inside = inside(slot, 0);
            for (int j = 0; j < result.length; j++) {
                inside = vector || j == 0 ? inside : inside(slot, j);
                result[j] = f.select(PtxType.F32, inside, result[j], Value.of(0f));
            }
            return result;
        }

        /** The same for pairs of halves; all channels of a slot exist, or none. */
        Value[] words(Arithmetic arithmetic, int slot, Value... words) {
            loadFactors(slot);
            Value[] result = text.words(arithmetic, neighbours, words);
            Value inside = inside(slot, 0);
            for (int j = 0; j < result.length; j++) {
                result[j] = f.select(PtxType.B32, inside, result[j], Value.of(0));
            }
            return result;
        }

        /** Those of the slot before serve as well, but where another picture begins. */
        private void loadFactors(int slot) {
            if (slot == 0) {
                emitLoads(slot);
            } else {
                f.guarded(f.compare(Comparison.NOT_EQUAL, begins[slot], begins[slot - 1]), () -> emitLoads(slot));
            }
        }

        private void emitLoads(int slot) {
            if (vector) {
                Value last = f.sub(text.channels(), Value.of(neighbours.factors().length));
                text.load(neighbours, begins[slot], f.compute(PtxOp.MIN, channel, last));
            } else {
                text.loadEach(neighbours, begins[slot], channel);
            }
        }

        private Value inside(int slot, int element) {
            Value at = element == 0 ? channel : f.add(channel, Value.of(element));
            return f.compute(PtxOp.AND, valid[slot], Code.less(f, at, text.channels()));
        }
    }
}
