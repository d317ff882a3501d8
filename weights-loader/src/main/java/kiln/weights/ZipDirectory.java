package kiln.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MappableFile;

/**
 * The entries of a zip file (also zip64) and where their bytes lie. Java's own reader does not tell the latter. Stricter than
 * most: the two names of an entry must agree, names must differ, and no two entries may share bytes, so a file means the same
 * thing to every reader.
 */
final class ZipDirectory {
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int CENTRAL_HEADER = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int END64 = 0x06064b50;
    private static final int END64_LOCATOR = 0x07064b50;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int CENTRAL_HEADER_BYTES = 46;
    private static final int END_BYTES = 22;
    private static final int END64_BYTES = 56;
    private static final int END64_LOCATOR_BYTES = 20;
    private static final int MAX_COMMENT_BYTES = 0xffff;
    private static final int ZIP64_EXTRA = 1;
    private static final int FLAG_ENCRYPTED = 1;

    /** A directory of this size lists more than half a million tensors. */
    private static final long MAX_DIRECTORY_BYTES = 64L << 20;

    /** An entry: {@code method} is 0 when stored as it is, 8 when deflated; {@code offset} is where its bytes start in the file. */
    record Entry(String name, int method, long offset, long storedBytes, long bytes) {
        static final int STORED = 0;
        static final int DEFLATED = 8;
    }

    private record Span(long begin, long end, String name) {}

    private record Directory(long offset, long bytes, long entries, long endOffset) {}

    private final Path path;
    private final MappableFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final List<Span> spans = new ArrayList<>();

    private ZipDirectory(Path path, MappableFile file) {
        this.path = path;
        this.file = file;
    }

    static ZipDirectory read(Path path, MappableFile file) throws IOException {
        ZipDirectory zip = new ZipDirectory(path, file);
        zip.readDirectory(zip.findDirectory());
        zip.checkSpans();
        return zip;
    }

    Collection<Entry> entries() {
        return Collections.unmodifiableCollection(entries.values());
    }

    /** The entry of that name, or null. */
    Entry entry(String name) {
        return entries.get(name);
    }

    private Directory findDirectory() throws IOException {
        int tailBytes = (int) Math.min(file.size(), END_BYTES + MAX_COMMENT_BYTES);
        long tailOffset = file.size() - tailBytes;
        ByteBuffer tail = read(tailOffset, tailBytes);
        for (int at = tailBytes - END_BYTES; at >= 0; at--) {
            boolean isEnd = tail.getInt(at) == END
                    && u16(tail, at + 20) == tailBytes - END_BYTES - at;
            if (isEnd) {
                return directory(tail, at, tailOffset + at);
            }
        }
        throw corrupt("the zip file has no directory at its end: is the download complete?", file.size());
    }

    private Directory directory(ByteBuffer tail, int at, long endOffset) throws IOException {
        long count = u16(tail, at + 10);
        long bytes = u32(tail, at + 12);
        long offset = u32(tail, at + 16);
        if (u16(tail, at + 4) != u16(tail, at + 6)) {
            throw corrupt("the zip file is one part of several", endOffset);
        }
        boolean is64 = count == 0xffff || bytes == 0xffffffffL || offset == 0xffffffffL;
        if (is64 && endOffset >= END64_LOCATOR_BYTES) {
            ByteBuffer locator = read(endOffset - END64_LOCATOR_BYTES, END64_LOCATOR_BYTES);
            if (locator.getInt(0) == END64_LOCATOR) {
                return directory64(locator.getLong(8), endOffset - END64_LOCATOR_BYTES);
            }
        }
        return checked(new Directory(offset, bytes, count, endOffset));
    }

    private Directory directory64(long end64Offset, long locatorOffset) throws IOException {
        if (end64Offset < 0 || end64Offset > locatorOffset - END64_BYTES) {
            throw corrupt("the zip64 directory's end is said to be at " + Long.toUnsignedString(end64Offset), locatorOffset);
        }
        ByteBuffer end64 = read(end64Offset, END64_BYTES);
        if (end64.getInt(0) != END64) {
            throw corrupt("the zip64 directory's end is not where it should be", end64Offset);
        }
        return checked(new Directory(end64.getLong(48), end64.getLong(40), end64.getLong(32), end64Offset));
    }

    private Directory checked(Directory found) {
        if (found.offset() < 0 || found.bytes() < 0 || found.offset() > found.endOffset()
                || found.bytes() > found.endOffset() - found.offset()) {
            throw corrupt("the zip directory is said to have " + Long.toUnsignedString(found.bytes()) + " bytes at "
                    + Long.toUnsignedString(found.offset()), found.endOffset());
        }
        if (found.entries() < 0 || found.entries() > found.bytes() / CENTRAL_HEADER_BYTES) {
            throw corrupt("the zip directory is said to have " + Long.toUnsignedString(found.entries()) + " entries in "
                    + found.bytes() + " bytes", found.endOffset());
        }
        if (found.bytes() > MAX_DIRECTORY_BYTES) {
            throw new WeightsException(Kind.UNSUPPORTED, path, found.offset(),
                    "the zip directory has " + found.bytes() + " bytes, at most " + MAX_DIRECTORY_BYTES + " are read");
        }
        return found;
    }

    private void readDirectory(Directory directory) throws IOException {
        ByteBuffer bytes = read(directory.offset(), (int) directory.bytes());
        spans.add(new Span(directory.offset(), directory.offset() + directory.bytes(), "the zip directory"));
        for (long i = 0; i < directory.entries(); i++) {
            long at = directory.offset() + bytes.position();
            if (bytes.remaining() < CENTRAL_HEADER_BYTES || bytes.getInt(bytes.position()) != CENTRAL_HEADER) {
                throw corrupt("the zip directory has no entry " + i + " of " + directory.entries(), at);
            }
            readEntry(bytes.slice().order(ByteOrder.LITTLE_ENDIAN), at);
            int start = bytes.position();
            bytes.position(start + CENTRAL_HEADER_BYTES + u16(bytes, start + 28) + u16(bytes, start + 30) + u16(bytes, start + 32));
        }
    }

    private void readEntry(ByteBuffer header, long at) throws IOException {
        int nameBytes = u16(header, 28);
        int extraBytes = u16(header, 30);
        if (CENTRAL_HEADER_BYTES + nameBytes + extraBytes + u16(header, 32) > header.remaining()) {
            throw corrupt("a zip entry ends after the directory", at);
        }
        byte[] rawName = new byte[nameBytes];
        header.get(CENTRAL_HEADER_BYTES, rawName);
        String name = new String(rawName, StandardCharsets.UTF_8);
        if ((u16(header, 8) & FLAG_ENCRYPTED) != 0) {
            throw new WeightsException(Kind.UNSUPPORTED, path, at, "zip entry " + WeightsException.quote(name) + " is encrypted");
        }
        long bytes = u32(header, 24);
        long storedBytes = u32(header, 20);
        long localOffset = u32(header, 42);
        ByteBuffer extra64 = extra64(header, CENTRAL_HEADER_BYTES + nameBytes, extraBytes);
        if (bytes == 0xffffffffL && extra64.remaining() >= 8) {
            bytes = extra64.getLong();
        }
        if (storedBytes == 0xffffffffL && extra64.remaining() >= 8) {
            storedBytes = extra64.getLong();
        }
        if (localOffset == 0xffffffffL && extra64.remaining() >= 8) {
            localOffset = extra64.getLong();
        }
        add(name, rawName, u16(header, 10), localOffset, storedBytes, bytes, at);
    }

    private static ByteBuffer extra64(ByteBuffer header, int from, int bytes) {
        int at = from;
        int end = from + bytes;
        while (at + 4 <= end) {
            int length = Math.min(u16(header, at + 2), end - at - 4);
            if (u16(header, at) == ZIP64_EXTRA) {
                return header.slice(at + 4, length).order(ByteOrder.LITTLE_ENDIAN);
            }
            at += 4 + length;
        }
        return ByteBuffer.allocate(0);
    }

    private void add(String name, byte[] rawName, int method, long localOffset, long storedBytes, long bytes, long at)
            throws IOException {
        String quoted = "zip entry " + WeightsException.quote(name);
        if (bytes < 0 || storedBytes < 0 || localOffset < 0 || localOffset > file.size() - LOCAL_HEADER_BYTES - rawName.length) {
            throw corrupt(quoted + " is said to have " + Long.toUnsignedString(storedBytes) + " bytes at "
                    + Long.toUnsignedString(localOffset), at);
        }
        ByteBuffer local = read(localOffset, LOCAL_HEADER_BYTES + rawName.length);
        if (local.getInt(0) != LOCAL_HEADER || u16(local, 26) != rawName.length
                || !local.slice(LOCAL_HEADER_BYTES, rawName.length).equals(ByteBuffer.wrap(rawName))) {
            throw corrupt(quoted + " is not where the zip directory says", localOffset);
        }
        long offset = localOffset + LOCAL_HEADER_BYTES + rawName.length + u16(local, 28);
        if (offset > file.size() || storedBytes > file.size() - offset) {
            throw corrupt(quoted + " needs " + storedBytes + " bytes, the file ends before", offset);
        }
        if (method != Entry.STORED && method != Entry.DEFLATED) {
            throw new WeightsException(Kind.UNSUPPORTED, path, at, quoted + " is compressed by method " + method
                    + ", only 0 (stored) and 8 (deflated) are read");
        }
        if (method == Entry.STORED && storedBytes != bytes) {
            throw corrupt(quoted + " is stored as it is, but has two sizes, " + storedBytes + " and " + bytes, at);
        }
        if (entries.put(name, new Entry(name, method, offset, storedBytes, bytes)) != null) {
            throw corrupt(quoted + " is there twice", at);
        }
        spans.add(new Span(localOffset, offset + storedBytes, quoted));
    }

    private void checkSpans() {
        spans.sort(Comparator.comparingLong(Span::begin).thenComparingLong(Span::end));
        for (int i = 1; i < spans.size(); i++) {
            if (spans.get(i).begin() < spans.get(i - 1).end()) {
                throw corrupt(spans.get(i).name() + " overlaps " + spans.get(i - 1).name(), spans.get(i).begin());
            }
        }
    }

    private ByteBuffer read(long offset, int bytes) throws IOException {
        return ByteBuffer.wrap(file.read(offset, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int u16(ByteBuffer buffer, int at) {
        return buffer.getShort(at) & 0xffff;
    }

    private static long u32(ByteBuffer buffer, int at) {
        return buffer.getInt(at) & 0xffffffffL;
    }

    private WeightsException corrupt(String detail, long offset) {
        return new WeightsException(Kind.CORRUPT, path, offset, detail);
    }
}
