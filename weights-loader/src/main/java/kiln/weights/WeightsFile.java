package kiln.weights;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;

/**
 * A weights file as named tensors: safetensors, torch's zip files and its older pickles ({@code .ckpt}, {@code .pt},
 * {@code .pth}, {@code .bin}), told apart by content.
 *
 * <p>Opening reads the index only; elements are mapped when asked for and are not copied where the file holds them in row-major
 * order. Nothing in a file is ever executed. All methods may be called from any thread. Whoever opens it closes it. All
 * failures are {@link WeightsException}.
 */
public final class WeightsFile implements AutoCloseable {
    private final Path path;
    private final MappableFile file;
    private final WeightsIndex index;
    private final List<TensorInfo> tensors;

    private WeightsFile(Path path, MappableFile file, WeightsIndex index) {
        this.path = path;
        this.file = file;
        this.index = index;
        this.tensors = index.tensors();
    }

    /** Opens a file and reads its index; the rest of the file is left alone. */
    public static WeightsFile open(Path path) {
        MappableFile file;
        try {
            file = MappableFile.open(path);
        } catch (IOException e) {
            throw failure(path, e);
        }
        try {
            return new WeightsFile(path, file, readIndex(path, file));
        } catch (IOException e) {
            file.close();
            throw failure(path, e);
        } catch (InternalError e) {
            file.close();
            throw pageLost(path, e);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static WeightsIndex readIndex(Path path, MappableFile file) throws IOException {
        byte[] start = file.read(0, (int) Math.min(16, file.size()));
        if (startsWith(start, 'P', 'K')) {
            return TorchZipReader.read(path, file);
        }
        boolean isSafetensors = start.length > 8 && start[8] == '{';
        if (startsWith(start, 0x80) && !isSafetensors) {
            return TorchPickleReader.read(path, file);
        }
        if (!isSafetensors) {
            throw new WeightsException(Kind.UNSUPPORTED, path, 0, start.length == 0
                    ? "the file is empty"
                    : "neither safetensors nor a file that torch wrote; it starts with "
                            + WeightsException.quote(new String(start, StandardCharsets.ISO_8859_1)));
        }
        return SafetensorsReader.read(path, file);
    }

    private static boolean startsWith(byte[] start, int... bytes) {
        boolean matches = start.length >= bytes.length;
        for (int i = 0; matches && i < bytes.length; i++) {
            matches = start[i] == (byte) bytes[i];
        }
        return matches;
    }

    public Path path() {
        return path;
    }

    /** {@code safetensors}, {@code torch-zip} or {@code torch-pickle}. */
    public String format() {
        return index.format();
    }

    /** What the file says about itself, in its order: safetensors' metadata, or a checkpoint's plain values such as its step. */
    public Map<String, String> metadata() {
        return index.metadata();
    }

    /** What the file holds and is not read; nothing as a rule. */
    public UnreadValues unread() {
        return index.unread();
    }

    /** All tensors in the file's order. */
    public List<TensorInfo> tensors() {
        return tensors;
    }

    public Optional<TensorInfo> tensor(String name) {
        return Optional.ofNullable(index.entries().get(name)).map(TensorEntry::info);
    }

    /**
     * A tensor's elements; the caller closes them.
     *
     * @throws WeightsException {@code NOT_FOUND} when there is no such tensor
     */
    public TensorData map(String name) {
        TensorEntry entry = entry(name);
        try {
            return new TensorData(entry.info(), path, MaterialisedTensor.region(path, file, entry));
        } catch (IOException e) {
            throw failure(path, e);
        } catch (InternalError e) {
            throw pageLost(path, e);
        }
    }

    /**
     * Whether {@link #map} hands out the file's own bytes, which costs next to nothing. Views such as transposes, compressed and
     * big-endian tensors are put in order in memory every time instead.
     *
     * @throws WeightsException {@code NOT_FOUND} when there is no such tensor
     */
    public boolean isInPlace(String name) {
        return entry(name).isMappable();
    }

    /**
     * Lends a tensor's elements as {@link #map} gives them; once the reader has returned, no thread may use them.
     *
     * @throws WeightsException {@code NOT_FOUND} when there is no such tensor; {@code UNSUPPORTED} when it takes more than 1 GiB;
     *     {@code IO} when the file was cut short while it was read
     */
    public void lend(String name, Consumer<ByteBuffer> reader) {
        try (TensorData data = map(name)) {
            reader.accept(data.bytes());
            requireWhole();
        } catch (InternalError e) {
            throw pageLost(path, e);
        }
    }

    /**
     * A tensor's elements as floats in row-major order, converted from its number format (see {@link DType#convertsToF32}).
     *
     * @throws WeightsException {@code NOT_FOUND} when there is no such tensor; {@code UNSUPPORTED} when it has more elements
     *     than an array
     */
    public float[] readF32(String name) {
        TensorInfo info = entry(name).info();
        if (info.elements() > Integer.MAX_VALUE - 8) {
            throw new WeightsException(Kind.UNSUPPORTED, path, "tensor " + WeightsException.quote(name) + " has "
                    + info.elements() + " elements, more than a Java array");
        }
        float[] elements = new float[(int) info.elements()];
        readF32(info, FloatBuffer.wrap(elements));
        return elements;
    }

    /**
     * As many elements as the target has room for, from {@code first} on: for tables of which few rows are needed.
     *
     * @throws IndexOutOfBoundsException when the tensor ends before the target is full
     */
    public void readF32Range(String name, long first, FloatBuffer target) {
        TensorInfo info = convertible(name);
        Objects.checkFromIndexSize(first, target.remaining(), info.elements());
        try (TensorData data = map(name)) {
            long skip = first * info.dtype().bytes();
            for (ByteBuffer chunk : data.chunks()) {
                if (skip >= chunk.remaining()) {
                    skip -= chunk.remaining();
                    continue;
                }
                int length = (int) Math.min(chunk.remaining() - skip, (long) target.remaining() * info.dtype().bytes());
                ElementReader.readF32(info.dtype(), chunk.slice(chunk.position() + (int) skip, length).order(chunk.order()), target);
                skip = 0;
            }
            requireWhole();
        } catch (InternalError e) {
            throw pageLost(path, e);
        }
    }

    private TensorInfo convertible(String name) {
        TensorInfo info = entry(name).info();
        if (!info.dtype().convertsToF32()) {
            throw new WeightsException(Kind.UNSUPPORTED, path, "tensor " + WeightsException.quote(info.name())
                    + " holds " + info.dtype() + ", which does not convert to floats");
        }
        return info;
    }

    /** As {@link #readF32(String)}, into {@code target} from its position on, which moves on by the elements written. */
    public void readF32(TensorInfo tensor, FloatBuffer target) {
        TensorInfo info = convertible(tensor.name());
        if (info.elements() > target.remaining()) {
            throw new IllegalArgumentException(
                    "tensor " + info.name() + " has " + info.elements() + " elements, the target has room for " + target.remaining());
        }
        try (TensorData data = map(info.name())) {
            for (ByteBuffer chunk : data.chunks()) {
                ElementReader.readF32(info.dtype(), chunk, target);
            }
            requireWhole();
        } catch (InternalError e) {
            throw pageLost(path, e);
        }
    }

    private TensorEntry entry(String name) {
        TensorEntry entry = index.entries().get(Objects.requireNonNull(name, "name"));
        if (entry == null) {
            throw new WeightsException(Kind.NOT_FOUND, path, "there is no tensor " + WeightsException.quote(name));
        }
        return entry;
    }

    /** Closes the file; what was mapped from it stays usable until it is closed itself. */
    @Override
    public void close() {
        file.close();
    }

    private void requireWhole() {
        try {
            file.requireWhole();
        } catch (IOException e) {
            throw pageLost(path, e);
        }
    }

    /** An InternalError is what the virtual machine makes of a page that the file no longer has. */
    private static WeightsException pageLost(Path path, Throwable e) {
        return new WeightsException(Kind.IO, path, -1, "the file was cut short or became unreadable while it was read", e);
    }

    private static WeightsException failure(Path path, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new WeightsException(Kind.NOT_FOUND, path, -1, "no such file", e);
        }
        if (e instanceof AccessDeniedException) {
            return new WeightsException(Kind.IO, path, -1, "not readable: permission denied", e);
        }
        if (e instanceof ClosedChannelException) {
            return new WeightsException(Kind.CLOSED, path, -1, "the file was closed", e);
        }
        String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new WeightsException(e instanceof EOFException ? Kind.CORRUPT : Kind.IO, path, -1, reason, e);
    }
}
