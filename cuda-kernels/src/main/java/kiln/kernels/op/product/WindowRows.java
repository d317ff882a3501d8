package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Value;

/**
 * The windows of a {@link Convolution}, read from the picture in place: rows are positions of the result, or of the stored picture where it is
 * doubled; a tap is a place in the window.
 */
final class WindowRows implements RowSource {
    /** Of a position's window: where its picture's row 0 is or would be among all pictures' stored rows, and its upper left corner. */
    private record Corner(Value pictureRow, Value y, Value x, Value inRange) {}

    private final PtxFunction f;
    private final DataType type;
    private final int window;
    private final int stride;
    private final ConvolutionMap map;
    private final Value channels;
    private final Value positions;
    /** Where a window's corner lies, from {@code stride} times the position. */
    private final Value below;

    private final Value right;

    /**
     * @param window rows and columns that are read in the stored picture
     * @param doubling the parity that is computed, or {@code null} where the picture is not doubled
     */
    WindowRows(
            PtxFunction f,
            DataType type,
            int window,
            int stride,
            int padBefore,
            ConvolutionMap map,
            Value channels,
            Doubling.Text doubling) {
        this.f = f;
        this.type = type;
        this.window = window;
        this.stride = stride;
        this.map = map;
        this.channels = channels;
        positions = f.mul(map.outHeight(), map.outWidth());
        below = doubling == null ? Value.of(-padBefore) : f.sub(doubling.y, Value.of(1));
        right = doubling == null ? Value.of(-padBefore) : f.sub(doubling.x, Value.of(1));
    }

    @Override
    public int taps() {
        return window * window;
    }

    @Override
    public Object prepare(Value row, Value inRange) {
        Value picture = f.compute(PtxOp.DIV, row, positions);
        Value position = f.sub(row, f.mul(picture, positions));
        Value outY = f.compute(PtxOp.DIV, position, map.outWidth());
        Value outX = f.sub(position, f.mul(outY, map.outWidth()));
        Value y = f.mad(f.add(outY, map.firstOutRow()), Value.of(stride), below);
        Value x = f.mad(outX, Value.of(stride), right);
        return new Corner(f.sub(f.mul(picture, map.inRows()), map.firstInRow()), y, x, inRange);
    }

    @Override
    public void place(Object prepared, Value tap, Place target) {
        Corner corner = (Corner) prepared;
        Value across = Value.of(window);
        Value tapY = f.compute(PtxOp.DIV, tap, across);
        Value y = f.add(corner.y(), tapY);
        Value x = f.add(corner.x(), f.sub(tap, f.mul(tapY, across)));
        // Negative places are huge when read without a sign.
        Value inside = f.compute(
                PtxOp.AND,
                f.compare(Comparison.LESS, y, map.height()),
                f.compare(Comparison.LESS, x, map.width()));
        f.assign(target.valid(), PtxOp.AND, inside, corner.inRange());
        Value position = f.mad(f.add(corner.pictureRow(), y), map.width(), x);
        f.emit("mad.lo.u64", target.address().text(), f.mulWide(position, channels).text(), Integer.toString(type.bytes()), map.in().text());
    }
}
