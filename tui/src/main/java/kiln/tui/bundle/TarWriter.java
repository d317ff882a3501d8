package kiln.tui.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * Writes a tar archive as POSIX.1-1988 (ustar) describes it. Owner and time are the same for every entry, so that equal files give an
 * equal archive. One thread; the creator closes it, which ends the archive and closes the stream below.
 */
final class TarWriter implements AutoCloseable {
    private static final int BLOCK = 512;
    private static final int NAME_BYTES = 100;
    private static final int PREFIX_BYTES = 155;
    private static final int EXECUTABLE = 0755;
    private static final int PLAIN = 0644;
    private static final char FILE = '0';
    private static final char LINK = '2';
    private static final char FOLDER = '5';

    private final OutputStream out;
    private final long seconds;

    /** @param seconds every entry's time, since 1970 */
    TarWriter(OutputStream out, long seconds) {
        this.out = Objects.requireNonNull(out, "out");
        this.seconds = seconds;
    }

    void folder(String name) throws IOException {
        header(name + "/", FOLDER, EXECUTABLE, 0, "");
    }

    void link(String name, String target) throws IOException {
        header(name, LINK, 0777, 0, target);
    }

    void file(String name, Path source, boolean executable) throws IOException {
        long size = Files.size(source);
        header(name, FILE, executable ? EXECUTABLE : PLAIN, size, "");
        long written = Files.copy(source, out);
        if (written != size) {
            throw new IOException(source + " changed while it was read");
        }
        out.write(new byte[(int) (-size & BLOCK - 1)]);
    }

    private void header(String name, char type, int mode, long size, String target) throws IOException {
        byte[] full = name.getBytes(StandardCharsets.UTF_8);
        int cut = full.length <= NAME_BYTES ? -1 : cut(full);
        byte[] block = new byte[BLOCK];
        put(block, 0, NAME_BYTES, Arrays.copyOfRange(full, cut + 1, full.length), name);
        octal(block, 100, 8, mode);
        octal(block, 108, 8, 0); // user root
        octal(block, 116, 8, 0); // group root
        octal(block, 124, 12, size);
        octal(block, 136, 12, seconds);
        Arrays.fill(block, 148, 156, (byte) ' '); // the checksum counts its own field as blanks
        block[156] = (byte) type;
        put(block, 157, NAME_BYTES, target.getBytes(StandardCharsets.UTF_8), target);
        put(block, 257, 8, "ustar\00000".getBytes(StandardCharsets.US_ASCII), "magic");
        if (cut > 0) {
            put(block, 345, PREFIX_BYTES, Arrays.copyOf(full, cut), name);
        }
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xff;
        }
        octal(block, 148, 7, sum);
        out.write(block);
    }

    /** Where a long name is divided: the first slash that leaves few enough bytes behind it. */
    private static int cut(byte[] name) {
        for (int i = name.length - 1 - NAME_BYTES; i < name.length; i++) {
            if (i > 0 && name[i] == '/' && i < name.length - 1) {
                return i;
            }
        }
        return -1;
    }

    private static void put(byte[] block, int offset, int space, byte[] bytes, String what) throws IOException {
        if (bytes.length > space) {
            throw new IOException("too long for a tar archive: " + what);
        }
        System.arraycopy(bytes, 0, block, offset, bytes.length);
    }

    /** Digits that fill the field, and a closing zero byte. */
    private static void octal(byte[] block, int offset, int space, long value) throws IOException {
        String digits = Long.toOctalString(value);
        if (digits.length() > space - 1) {
            throw new IOException("too large for a tar archive: " + value);
        }
        put(block, offset, space, ("0".repeat(space - 1 - digits.length()) + digits + "\0").getBytes(StandardCharsets.US_ASCII), digits);
    }

    @Override
    public void close() throws IOException {
        try (out) {
            out.write(new byte[2 * BLOCK]);
        }
    }
}
