package kiln.weights.map;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A file open for reading and mapping from any number of threads.
 *
 * <p>An interrupt closes a Java file channel under everyone who shares it; here the channel is then opened again, provided
 * that the file is still the same one, so that cancelling one reader does not break the others. The interrupt itself is kept
 * for the caller. Regions that were mapped outlive the file's {@link #close}.
 */
public final class MappableFile implements AutoCloseable {
    private final Path path;
    private final long size;
    private final FileTime modified;
    private final Object fileKey;
    private FileChannel channel;
    private boolean closed;

    private MappableFile(Path path, FileChannel channel, long size, BasicFileAttributes attributes) {
        this.path = path;
        this.channel = channel;
        this.size = size;
        this.modified = attributes.lastModifiedTime();
        this.fileKey = attributes.fileKey();
    }

    /** @throws IOException as {@link FileChannel#open}, also for a folder */
    public static MappableFile open(Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            throw new IOException("not a regular file");
        }
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new MappableFile(path, channel, channel.size(), attributes);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Bytes in the file when it was opened. */
    public long size() {
        return size;
    }

    /**
     * Makes sure that what was read of mapped parts was the file's. The virtual machine tells a thread of pages that the file no longer has by
     * an {@link InternalError}, but only when it next leaves compiled code, which it does here; and the file's size says as much.
     *
     * @throws EOFException when the file has become shorter since it was opened
     */
    public void requireWhole() throws IOException {
        try {
            withChannel(open -> {
                if (open.size() < size) {
                    throw new EOFException("the file has become shorter while it was in use");
                }
                return null;
            });
        } catch (ClosedChannelException e) {
            // Mapped parts outlive the file's close: there is nothing to ask any more.
        }
    }

    /**
     * Maps a part of the file. Pages come into memory as they are touched, and leave it at the region's close.
     *
     * @throws EOFException when the file has become shorter than the part's end
     * @throws ClosedChannelException after {@link #close}
     */
    public MemoryRegion map(long offset, long bytes) throws IOException {
        Objects.checkFromIndexSize(offset, bytes, size);
        return withChannel(open -> {
            if (open.size() < offset + bytes) {
                throw new EOFException("the file has become shorter while it was in use");
            }
            List<NativeMemory.Owned> pieces = new ArrayList<>();
            try {
                for (long done = 0; done < bytes; done += MemoryRegion.PIECE_BYTES) {
                    pieces.add(NativeMemory.map(open, offset + done, Math.min(MemoryRegion.PIECE_BYTES, bytes - done)));
                }
            } catch (IOException | RuntimeException | Error e) {
                pieces.forEach(piece -> piece.release().run());
                throw e;
            }
            return new MemoryRegion(pieces, true);
        });
    }

    /**
     * Copies a part of the file to the heap.
     *
     * @throws EOFException when the file ends before the part does
     */
    public byte[] read(long offset, int bytes) throws IOException {
        Objects.checkFromIndexSize(offset, bytes, size);
        return withChannel(open -> {
            ByteBuffer buffer = ByteBuffer.allocate(bytes);
            while (buffer.hasRemaining()) {
                if (open.read(buffer, offset + buffer.position()) < 0) {
                    throw new EOFException("the file has become shorter while it was in use");
                }
            }
            return buffer.array();
        });
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            channel.close();
        } catch (IOException e) {
            // A channel that was only read from has nothing to lose by a failing close.
        }
    }

    private interface ChannelTask<T> {
        T run(FileChannel open) throws IOException;
    }

    private <T> T withChannel(ChannelTask<T> task) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                FileChannel open = openChannel();
                try {
                    return task.run(open);
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                } catch (ClosedChannelException e) {
                    // Another thread's interrupt, or a real close: openChannel tells them apart.
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized FileChannel openChannel() throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (!channel.isOpen()) {
            BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
            if (now.size() != size || !now.lastModifiedTime().equals(modified)
                    || !Objects.equals(now.fileKey(), fileKey)) {
                throw new IOException("the file was replaced while it was in use");
            }
            channel = FileChannel.open(path, StandardOpenOption.READ);
        }
        return channel;
    }
}
