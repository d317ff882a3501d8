package kiln.weights;

import java.util.Objects;

/**
 * A tensor and where its elements are.
 *
 * @param storage the bytes that hold the elements, perhaps among others
 * @param firstElement place of the first element in the storage, in elements
 * @param strides elements to step over per dimension; null when the elements lie in row-major order without gaps
 */
record TensorEntry(TensorInfo info, Storage storage, long firstElement, long[] strides) {
    TensorEntry {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(storage, "storage");
    }

    static TensorEntry contiguous(TensorInfo info, long fileOffset) {
        return new TensorEntry(info, new Storage(fileOffset, info.bytes(), info.bytes(), false), 0, null);
    }

    /**
     * Bytes in the file.
     *
     * @param storedBytes the bytes they take there, compressed or not
     * @param bytes what they are when unpacked
     */
    record Storage(long fileOffset, long storedBytes, long bytes, boolean bigEndian) {
        boolean isCompressed() {
            return false;
        }
    }
}
