package kiln.runtime.exec.cuda.residence;

import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import kiln.kernels.DataType;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.DeviceWeight.Layout;

/**
 * A block whose elements are 16-bit floats in the checkpoint and on the card: bytes are copied as they are, and only their order changes
 * where a kernel wants another one.
 */
final class StoredHalves {
    /** Elements that one thread puts in order at a time. */
    private static final int PIECE = 1 << 16;

    /** The elements of the block that are asked for, {@code first} to {@code end} in the order of the card, and where they go. */
    private record Window(int first, int end, ByteBuffer target) {
        /** Copies {@code count} elements of a tensor to the block's element {@code to} on, as far as they are asked for. */
        void copy(ByteBuffer tensor, int from, int to, int count) {
            int begin = Math.max(first, to);
            int length = Math.min(end, to + count) - begin;
            if (length > 0) {
                target.put((begin - first) * Short.BYTES, tensor, (from + begin - to) * Short.BYTES, length * Short.BYTES);
            }
        }

        void copy(short[] row, int to) {
            int begin = Math.max(first, to);
            target.asShortBuffer().put(begin - first, row, begin - to, Math.min(end, to + row.length) - begin);
        }
    }

    private final WeightSource source;
    private final DeviceWeight weight;
    private final BlockOrder order;
    private final int rowElements;

    private StoredHalves(WeightSource source, DeviceWeight weight) {
        this.source = source;
        this.weight = weight;
        order = BlockOrder.of(weight);
        rowElements = order.rowElements();
    }

    /** {@code null} when elements have to be converted. */
    static StoredHalves of(WeightSource source, DeviceWeight weight) {
        boolean copied = weight.stored() == DataType.F16
                && weight.layout() != Layout.FREQUENCIES
                && weight.layout() != Layout.DOUBLING
                && weight.weight().names().stream().allMatch(source::hasHalves);
        return copied ? new StoredHalves(source, weight) : null;
    }

    /** As {@link WeightEncoder#write}. */
    void write(long begin, ByteBuffer target) {
        int first = Math.toIntExact(begin / Short.BYTES);
        int count = Math.min(Math.toIntExact(weight.weight().elements()) - first, target.remaining() / Short.BYTES);
        Window window = new Window(first, first + count, target.slice().order(target.order()));
        int at = 0;
        for (String name : weight.weight().names()) {
            int tensorBegin = at;
            int length = WeightEncoder.elements(source, name);
            source.lendHalves(name, tensor -> {
                if (order.asInFile()) {
                    window.copy(tensor, 0, tensorBegin, length);
                } else {
                    writeRows(tensor, tensorBegin / rowElements, length / rowElements, window);
                }
            });
            at += length;
        }
        target.position(target.position() + count * Short.BYTES);
    }

    private void writeRows(ByteBuffer tensor, int tensorRow, int tensorRows, Window window) {
        int firstRow = window.first() / rowElements;
        int endRow = (window.end() + rowElements - 1) / rowElements;
        int pieceRows = Math.max(1, PIECE / rowElements);
        // A failure waits for the other pieces: afterwards the tensor is unmapped, and a thread that still reads it would end the process.
        List<Throwable> failures = IntStream.range(0, (endRow - firstRow + pieceRows - 1) / pieceRows)
                .parallel()
                .mapToObj(piece -> {
                    int row = firstRow + piece * pieceRows;
                    try {
                        writePiece(tensor, tensorRow, tensorRows, row, Math.min(endRow, row + pieceRows), window);
                        return null;
                    } catch (RuntimeException | Error e) {
                        return e;
                    }
                })
                .filter(Objects::nonNull)
                .toList();
        for (Throwable failure : failures) {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) failure;
        }
    }

    private void writePiece(ByteBuffer tensor, int tensorRow, int tensorRows, int beginRow, int endRow, Window window) {
        ShortBuffer halves = tensor.asShortBuffer();
        short[] inFile = new short[order.taps() > 1 ? rowElements : 0];
        short[] onCard = new short[inFile.length];
        for (int row = beginRow; row < endRow; row++) {
            int fileRow = order.fileRow(row) - tensorRow;
            if (fileRow < 0 || fileRow >= tensorRows) {
                continue;
            }
            if (order.taps() == 1) {
                window.copy(tensor, fileRow * rowElements, row * rowElements, rowElements);
            } else {
                halves.get(fileRow * rowElements, inFile);
                order.reorder(inFile, onCard);
                window.copy(onCard, row * rowElements);
            }
        }
    }
}
