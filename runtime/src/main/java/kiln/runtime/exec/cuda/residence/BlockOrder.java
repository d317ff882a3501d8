package kiln.runtime.exec.cuda.residence;

import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.DeviceWeight.Layout;

/**
 * Where the elements of a block on the card are in the checkpoint: rows are whole in both, but may come in another order, and so may a row's
 * elements. Not for {@link Layout#DOUBLING}, whose elements are sums, and {@link Layout#FREQUENCIES}.
 *
 * @param taps elements of one channel of a row: side by side in the checkpoint, a row of channels each on the card
 * @param interleaved rows are values, then gates in the checkpoint; value 0, gate 0, value 1, gate 1, … on the card
 */
record BlockOrder(int rows, int rowElements, int taps, boolean interleaved) {
    static BlockOrder of(DeviceWeight weight) {
        int rowElements = weight.rowElements();
        int taps = weight.layout() == Layout.CONVOLUTION ? rowElements / weight.weight().shape().get(1) : 1;
        return new BlockOrder(weight.rows(), rowElements, taps, weight.layout() == Layout.GEGLU);
    }

    boolean asInFile() {
        return taps == 1 && !interleaved;
    }

    /** Which of the checkpoint's rows is the card's. */
    int fileRow(int row) {
        return interleaved ? row / 2 + row % 2 * (rows / 2) : row;
    }

    /** One row: {@code [channel, tap]} to {@code [tap, channel]}. */
    void reorder(short[] inFile, short[] onCard) {
        int to = 0;
        for (int tap = 0; tap < taps; tap++) {
            // Running indices take half the time of computed ones.
            for (int from = tap; from < rowElements; from += taps) {
                onCard[to++] = inFile[from];
            }
        }
    }

    /** All rows, as {@link #fileRow} and {@link #reorder} say. */
    float[] reordered(float[] inFile) {
        float[] onCard = new float[inFile.length];
        int to = 0;
        for (int row = 0; row < rows; row++) {
            int begin = fileRow(row) * rowElements;
            if (taps == 1) {
                System.arraycopy(inFile, begin, onCard, row * rowElements, rowElements);
                continue;
            }
            for (int tap = 0; tap < taps; tap++) {
                for (int from = begin + tap; from < begin + rowElements; from += taps) {
                    onCard[to++] = inFile[from];
                }
            }
        }
        return onCard;
    }
}
