package kiln.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import kiln.weights.TensorEntry.Storage;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;
import kiln.weights.map.MemoryRegion;

/**
 * Makes the elements of a tensor that a file does not hold in order: views such as transposes, compressed storages, and storages
 * written on a big-endian machine.
 */
final class MaterialisedTensor {
    /** Storages that unpack to more than this and to more than {@link #MAX_UNPACKED_RATIO} files are taken for bombs. */
    private static final long MIN_UNPACKED_LIMIT = 4L << 20;

    private static final int MAX_UNPACKED_RATIO = 4;

    private MaterialisedTensor() {}

    /** The tensor's elements in memory of our own, or mapped where that is enough. */
    static MemoryRegion region(Path path, MappableFile file, TensorEntry entry) throws IOException {
        long bytes = entry.info().bytes();
        if (bytes == 0) {
            return MemoryRegion.allocate(0);
        }
        if (entry.isMappable()) {
            long skippedBytes = entry.firstElement() == 0 ? 0 : entry.firstElement() * entry.info().dtype().bytes();
            return file.map(entry.storage().fileOffset() + skippedBytes, bytes);
        }
        boolean isWholeStorage = entry.strides() == null && entry.firstElement() == 0 && bytes == entry.storage().bytes();
        if (isWholeStorage && !entry.storage().bigEndian()) {
            return unpacked(path, file, entry.storage());
        }
        try (MemoryRegion source = unpacked(path, file, entry.storage())) {
            MemoryRegion target = MemoryRegion.allocate(bytes);
            try {
                gather(entry, source.buffers(), target.buffers());
                return target;
            } catch (RuntimeException | Error e) {
                target.close();
                throw e;
            }
        }
    }

    /** A storage's bytes as they were before compression. */
    static MemoryRegion unpacked(Path path, MappableFile file, Storage storage) throws IOException {
        if (!storage.deflated()) {
            return file.map(storage.fileOffset(), storage.bytes());
        }
        if (storage.bytes() > Math.max(MIN_UNPACKED_LIMIT, MAX_UNPACKED_RATIO * file.size())) {
            throw new WeightsException(Kind.UNSUPPORTED, path, storage.fileOffset(), "a compressed part of "
                    + storage.storedBytes() + " bytes claims to unpack to " + storage.bytes());
        }
        try (MemoryRegion packed = file.map(storage.fileOffset(), storage.storedBytes())) {
            MemoryRegion target = MemoryRegion.allocate(storage.bytes());
            try {
                inflate(packed.buffers(), target.buffers());
                return target;
            } catch (DataFormatException e) {
                target.close();
                throw new WeightsException(Kind.CORRUPT, path, storage.fileOffset(),
                        "a compressed part does not unpack to its " + storage.bytes() + " bytes", e);
            } catch (RuntimeException | Error e) {
                target.close();
                throw e;
            }
        }
    }

    private static void inflate(List<ByteBuffer> packed, List<ByteBuffer> target) throws DataFormatException {
        Inflater inflater = new Inflater(true);
        try {
            int piece = 0;
            for (ByteBuffer part : target) {
                while (part.hasRemaining()) {
                    if (inflater.inflate(part) == 0) {
                        if (!inflater.needsInput() || piece == packed.size()) {
                            throw new DataFormatException("ended early");
                        }
                        inflater.setInput(packed.get(piece++));
                    }
                }
            }
        } finally {
            inflater.end();
        }
    }

    private static void gather(TensorEntry entry, List<ByteBuffer> source, List<ByteBuffer> target) {
        TensorInfo info = entry.info();
        int rank = info.rank();
        long[] sizes = Arrays.copyOf(info.shape().stream().mapToLong(Long::longValue).toArray(), rank + 1);
        long[] strides = Arrays.copyOf(entry.strides() == null ? rowMajor(info) : entry.strides(), rank + 1);
        // A complex number is two floats, and each of them has its own byte order.
        int parts = info.dtype() == DType.C64 ? 2 : 1;
        sizes[rank] = parts;
        for (int d = 0; d < rank; d++) {
            strides[d] *= parts;
        }
        strides[rank] = 1;
        int unitBytes = info.dtype().bytes() / parts;
        Copier copier = new Copier(source, target, unitBytes, entry.storage().bigEndian());

        int inner = parts == 1 && rank > 0 ? rank - 1 : rank;
        long[] index = new long[inner];
        long row = entry.firstElement() * parts;
        long written = 0;
        while (true) {
            for (long i = 0; i < sizes[inner]; i++) {
                copier.copy(row + i * strides[inner], written++);
            }
            int d = inner - 1;
            while (d >= 0 && ++index[d] == sizes[d]) {
                row -= (sizes[d] - 1) * strides[d];
                index[d--] = 0;
            }
            if (d < 0) {
                return;
            }
            row += strides[d];
        }
    }

    private static long[] rowMajor(TensorInfo info) {
        long[] strides = new long[info.rank()];
        long stride = 1;
        for (int d = strides.length - 1; d >= 0; d--) {
            strides[d] = stride;
            stride *= info.size(d);
        }
        return strides;
    }

    /** Copies units of 1, 2, 4 or 8 bytes between pieces; none lies across two pieces, whose size is a multiple of its own. */
    private record Copier(List<ByteBuffer> source, List<ByteBuffer> target, int unitBytes, boolean swap) {
        void copy(long from, long to) {
            long fromByte = from * unitBytes;
            long toByte = to * unitBytes;
            ByteBuffer in = source.get((int) (fromByte / MemoryRegion.PIECE_BYTES));
            ByteBuffer out = target.get((int) (toByte / MemoryRegion.PIECE_BYTES));
            int a = (int) (fromByte % MemoryRegion.PIECE_BYTES);
            int b = (int) (toByte % MemoryRegion.PIECE_BYTES);
            switch (unitBytes) {
                case 1 -> out.put(b, in.get(a));
                case 2 -> out.putShort(b, swap ? Short.reverseBytes(in.getShort(a)) : in.getShort(a));
                case 4 -> out.putInt(b, swap ? Integer.reverseBytes(in.getInt(a)) : in.getInt(a));
                case 8 -> out.putLong(b, swap ? Long.reverseBytes(in.getLong(a)) : in.getLong(a));
                default -> throw new IllegalStateException("unit of " + unitBytes + " bytes");
            }
        }
    }
}
