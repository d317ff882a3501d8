package kiln.weights;

import java.util.Objects;

/**
 * A tensor and where its elements are.
 *
 * @param storage the bytes that hold the elements, perhaps among others
 * @param firstElement place of the first element in the storage, counted in elements
 * @param strides elements to step over per dimension; null when the elements lie in row-major order without gaps
 */
record TensorEntry(TensorInfo info, Storage storage, long firstElement, long[] strides) {
    TensorEntry {
        Objects.requireNonNull(info, "info");
        Objects.requireNonNull(storage, "storage");
    }

    static TensorEntry contiguous(TensorInfo info, long fileOffset) {
        return new TensorEntry(info, new Storage(fileOffset, info.bytes(), info.bytes(), false, false), 0, null);
    }

    /** Whether the elements can be handed out as they are in the file. */
    boolean isMappable() {
        return strides == null && !storage.deflated() && !storage.bigEndian();
    }

    /**
     * Bytes in the file that tensors share.
     *
     * @param fileOffset where they start
     * @param storedBytes how many there are in the file
     * @param bytes how many there are once unpacked
     */
    record Storage(long fileOffset, long storedBytes, long bytes, boolean deflated, boolean bigEndian) {}
}
