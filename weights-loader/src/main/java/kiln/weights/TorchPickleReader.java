package kiln.weights;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.weights.TensorEntry.Storage;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;
import kiln.weights.map.MemoryRegion;
import kiln.weights.pickle.Inert;
import kiln.weights.pickle.PickleException;
import kiln.weights.pickle.PickleMachine;

/**
 * Reads the index of what {@code torch.save} wrote before torch 1.6, and still writes when told to: five pickles (a magic number,
 * the format's version, facts about the machine, the object, the keys of its storages), then each storage as its number of
 * elements in eight bytes and the elements. All numbers are little-endian whatever machine wrote them.
 */
final class TorchPickleReader {
    static final String FORMAT = "torch-pickle";

    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long VERSION = 1001;

    private record StorageType(int elementBytes, long elements) {}

    private final Path path;
    private final MappableFile file;

    private TorchPickleReader(Path path, MappableFile file) {
        this.path = path;
        this.file = file;
    }

    static WeightsIndex read(Path path, MappableFile file) throws IOException {
        return new TorchPickleReader(path, file).read();
    }

    private WeightsIndex read() throws IOException {
        int window = (int) Math.min(file.size(), TorchZipReader.MAX_PICKLE_BYTES);
        try (MemoryRegion region = file.map(0, window)) {
            ByteBuffer input = region.buffers().get(0);
            if (!MAGIC.equals(next(input).value())) {
                throw new WeightsException(Kind.UNSUPPORTED, path, 0, "a pickle, but not one that torch wrote");
            }
            Object version = next(input).value();
            if (!Long.valueOf(VERSION).equals(version)) {
                throw new WeightsException(Kind.UNSUPPORTED, path, input.position(), "version "
                        + (version instanceof Long ? version : "?") + " of torch's older format, known is " + VERSION);
            }
            next(input);
            PickleMachine.Result object = next(input);
            int objectEnd = input.position();
            Object keys = next(input).value();
            Map<String, Storage> storages = storages(keys, types(object.references(), objectEnd), input.position());
            TorchTree tree = new TorchTree(path, file.size(), 0, objectEnd, (key, elementBytes, elements) -> {
                Storage storage = storages.get(key);
                if (storage == null) {
                    throw new WeightsException(Kind.CORRUPT, path, objectEnd, "the pickle names a storage "
                            + WeightsException.quote(key) + " that is not in the file's list");
                }
                return storage;
            });
            return tree.index(FORMAT, object.value(), object.globals());
        }
    }

    private PickleMachine.Result next(ByteBuffer input) {
        try {
            return PickleMachine.read(input);
        } catch (PickleException e) {
            boolean cut = e.isLimit() || input.limit() < file.size() && e.position() > input.limit() - (1 << 20);
            throw new WeightsException(cut ? Kind.UNSUPPORTED : Kind.CORRUPT, path, e.position(), e.getMessage(), e);
        }
    }

    /** Element size and count of each storage by its key; all ids of one storage must agree. */
    private Map<String, StorageType> types(List<Inert.Reference> references, long offset) {
        Map<String, StorageType> types = new HashMap<>();
        for (Inert.Reference reference : references) {
            if (reference.id() instanceof Inert.Sequence id && id.items().size() >= 5 && "storage".equals(id.items().get(0))
                    && id.items().get(1) instanceof Inert.Global type && id.items().get(2) instanceof String key
                    && id.items().get(4) instanceof Long elements) {
                int elementBytes = TorchTypes.storageElementBytes(type.qualifiedName());
                if (elementBytes == 0) {
                    throw new WeightsException(Kind.UNSUPPORTED, path, offset, "storage " + WeightsException.quote(key)
                            + " has elements of unknown size: " + WeightsException.quote(type.qualifiedName()));
                }
                StorageType known = types.putIfAbsent(key, new StorageType(elementBytes, elements));
                if (known != null && !known.equals(new StorageType(elementBytes, elements))) {
                    throw new WeightsException(Kind.CORRUPT, path, offset,
                            "storage " + WeightsException.quote(key) + " is described in two ways");
                }
            }
        }
        return types;
    }

    private Map<String, Storage> storages(Object keys, Map<String, StorageType> types, long firstOffset) throws IOException {
        if (!(keys instanceof Inert.Sequence list)) {
            throw new WeightsException(Kind.CORRUPT, path, firstOffset, "the list of storages is missing");
        }
        Map<String, Storage> storages = new LinkedHashMap<>();
        long offset = firstOffset;
        for (Object item : list.items()) {
            StorageType type = item instanceof String key ? types.get(key) : null;
            if (type == null) {
                throw new WeightsException(Kind.CORRUPT, path, firstOffset, "the list of storages names one that nothing uses");
            }
            String quoted = "storage " + WeightsException.quote(item.toString());
            if (file.size() - offset < Long.BYTES) {
                throw new WeightsException(Kind.CORRUPT, path, offset, quoted + " is missing: is the download complete?");
            }
            long elements = ByteBuffer.wrap(file.read(offset, Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (elements != type.elements()) {
                throw new WeightsException(Kind.CORRUPT, path, offset, quoted + " has "
                        + Long.toUnsignedString(elements) + " elements, the pickle says " + type.elements());
            }
            offset += Long.BYTES;
            if (elements < 0 || elements > (file.size() - offset) / type.elementBytes()) {
                throw new WeightsException(Kind.CORRUPT, path, offset, quoted + " needs " + elements
                        + " elements, the file ends before: is the download complete?");
            }
            long bytes = elements * type.elementBytes();
            if (storages.put(item.toString(), new Storage(offset, bytes, bytes, false, false)) != null) {
                throw new WeightsException(Kind.CORRUPT, path, offset, quoted + " is listed twice");
            }
            offset += bytes;
        }
        return storages;
    }
}
