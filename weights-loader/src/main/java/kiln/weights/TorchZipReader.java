package kiln.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import kiln.weights.TensorEntry.Storage;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;
import kiln.weights.map.MemoryRegion;
import kiln.weights.pickle.PickleException;
import kiln.weights.pickle.PickleMachine;

/**
 * Reads the index of what {@code torch.save} writes since torch 1.6: a zip file with a pickle {@code NAME/data.pkl} and a storage
 * an entry, {@code NAME/data/KEY}, as a rule stored as it is.
 */
final class TorchZipReader {
    static final String FORMAT = "torch-zip";

    /** A pickle of this size describes some hundred thousand tensors. */
    static final int MAX_PICKLE_BYTES = 64 << 20;

    private static final String PICKLE = "data.pkl";

    private final Path path;
    private final MappableFile file;
    private final ZipDirectory zip;

    private TorchZipReader(Path path, MappableFile file, ZipDirectory zip) {
        this.path = path;
        this.file = file;
        this.zip = zip;
    }

    static WeightsIndex read(Path path, MappableFile file) throws IOException {
        return new TorchZipReader(path, file, ZipDirectory.read(path, file)).read();
    }

    private WeightsIndex read() throws IOException {
        ZipDirectory.Entry pickle = pickleEntry();
        String folder = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
        if (zip.entry(folder + "constants.pkl") != null) {
            throw new WeightsException(Kind.UNSUPPORTED, path, "a TorchScript program, not plain weights");
        }
        if (pickle.bytes() > MAX_PICKLE_BYTES) {
            throw new WeightsException(Kind.UNSUPPORTED, path, pickle.offset(), "the zip file's " + PICKLE + " has "
                    + pickle.bytes() + " bytes, at most " + MAX_PICKLE_BYTES + " are read");
        }
        boolean bigEndian = isBigEndian(folder);
        try (MemoryRegion region = MaterialisedTensor.unpacked(path, file, storage(pickle, false))) {
            List<ByteBuffer> pieces = region.buffers();
            ByteBuffer input = pieces.isEmpty() ? ByteBuffer.allocate(0) : pieces.get(0);
            PickleMachine.Result result = PickleMachine.read(input);
            TorchTree tree = new TorchTree(path, file.size(), pickle.offset(), (int) pickle.bytes(),
                    (key, elementBytes, elements) -> storage(folder + "data/" + key, elementBytes, elements, bigEndian, pickle));
            return tree.index(FORMAT, result.value(), result.globals());
        } catch (PickleException e) {
            // In a compressed entry the position has no place in the file.
            long offset = pickle.offset() + (pickle.method() == ZipDirectory.Entry.STORED ? e.position() : 0);
            throw new WeightsException(e.isLimit() ? Kind.UNSUPPORTED : Kind.CORRUPT, path, offset, e.getMessage(), e);
        }
    }

    private ZipDirectory.Entry pickleEntry() {
        List<ZipDirectory.Entry> found = zip.entries().stream()
                .filter(entry -> entry.name().equals(PICKLE) || entry.name().endsWith("/" + PICKLE))
                .toList();
        if (found.size() != 1) {
            throw new WeightsException(Kind.UNSUPPORTED, path, found.isEmpty()
                    ? "a zip file, but not one that torch wrote: it has no " + PICKLE
                    : "a zip file with " + found.size() + " pickles called " + PICKLE + ", torch writes one");
        }
        return found.get(0);
    }

    private boolean isBigEndian(String folder) throws IOException {
        ZipDirectory.Entry entry = zip.entry(folder + "byteorder");
        if (entry == null) {
            return false;
        }
        if (entry.bytes() > 16) {
            throw new WeightsException(Kind.CORRUPT, path, entry.offset(), "a byte order of " + entry.bytes() + " bytes");
        }
        String order;
        try (MemoryRegion region = MaterialisedTensor.unpacked(path, file, storage(entry, false))) {
            order = region.buffers().isEmpty() ? "" : StandardCharsets.UTF_8.decode(region.buffers().get(0)).toString().strip();
        }
        return switch (order) {
            case "little" -> false;
            case "big" -> true;
            default -> throw new WeightsException(Kind.UNSUPPORTED, path, entry.offset(),
                    "byte order " + WeightsException.quote(order) + ", known are little and big");
        };
    }

    private Storage storage(String name, int elementBytes, long elements, boolean bigEndian, ZipDirectory.Entry pickle) {
        ZipDirectory.Entry entry = zip.entry(name);
        if (entry == null) {
            throw new WeightsException(Kind.CORRUPT, path, pickle.offset(),
                    "the pickle names a storage " + WeightsException.quote(name) + ", the zip file has no such entry");
        }
        if (elements * elementBytes > entry.bytes()) {
            throw new WeightsException(Kind.CORRUPT, path, entry.offset(), "storage " + WeightsException.quote(name) + " needs "
                    + elements * elementBytes + " bytes for its " + elements + " elements, it has " + entry.bytes());
        }
        return storage(entry, bigEndian);
    }

    private static Storage storage(ZipDirectory.Entry entry, boolean bigEndian) {
        return new Storage(entry.offset(), entry.storedBytes(), entry.bytes(),
                entry.method() == ZipDirectory.Entry.DEFLATED, bigEndian);
    }
}
