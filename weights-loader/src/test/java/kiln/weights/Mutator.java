package kiln.weights;

import java.io.ByteArrayOutputStream;
import java.util.Random;

/** Damages bytes as broken downloads and ill-meaning authors do. All choices come from the given generator. */
final class Mutator {
    private static final long[] EDGES = {
        0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, Integer.MAX_VALUE, Integer.MIN_VALUE, 0xffffffffL, 1L << 32, 1L << 62,
        Long.MAX_VALUE, Long.MIN_VALUE, 0x04034b50, 0x02014b50, 0x06054b50};
    private static final String[] NUMBERS = {
        "0", "-1", "NaN", "1e9", "2147483648", "4294967296", "9223372036854775807", "18446744073709551616", "1.5", "null", "[]", "\"x\""};
    private static final int MAX_RANGE = 64;

    private final Random random;

    Mutator(Random random) {
        this.random = random;
    }

    /** A damaged copy; {@code other} lends pieces. */
    byte[] mutate(byte[] whole, byte[] other) {
        byte[] bytes = whole.clone();
        int times = 1 + random.nextInt(4);
        for (int i = 0; i < times && bytes.length > 0; i++) {
            bytes = once(bytes, other);
        }
        return bytes;
    }

    private byte[] once(byte[] bytes, byte[] other) {
        int at = place(bytes);
        int range = Math.min(1 + random.nextInt(MAX_RANGE), bytes.length - at);
        switch (random.nextInt(9)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt();
            case 2 -> {
                long edge = EDGES[random.nextInt(EDGES.length)];
                int width = 1 << random.nextInt(4);
                for (int i = 0; i < width && at + i < bytes.length; i++) {
                    bytes[at + i] = (byte) (edge >>> 8 * i);
                }
            }
            case 3 -> bytes = splice(bytes, at, range, bytes, 0, 0);
            case 4 -> bytes = splice(bytes, at, 0, bytes, at, range);
            case 5 -> {
                int from = random.nextInt(Math.max(1, other.length));
                bytes = splice(bytes, at, 0, other, from, Math.min(range, other.length - from));
            }
            case 6 -> bytes = random.nextInt(8) == 0 ? splice(bytes, at, bytes.length - at, bytes, 0, 0) : bytes;
            case 7 -> {
                int from = place(bytes);
                System.arraycopy(bytes.clone(), from, bytes, at, Math.min(range, bytes.length - Math.max(at, from)));
            }
            default -> bytes = replaceNumber(bytes, at);
        }
        return bytes;
    }

    /** Any place, or one soon after the signature of a zip record, where the numbers are. */
    private int place(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        if (random.nextBoolean()) {
            for (int i = at; i + 1 < bytes.length; i++) {
                if (bytes[i] == 'P' && bytes[i + 1] == 'K') {
                    return Math.min(bytes.length - 1, i + random.nextInt(50));
                }
            }
        }
        return at;
    }

    private byte[] replaceNumber(byte[] bytes, int from) {
        int start = from;
        while (start < bytes.length && (bytes[start] < '0' || bytes[start] > '9')) {
            start++;
        }
        int end = start;
        while (end < bytes.length && bytes[end] >= '0' && bytes[end] <= '9') {
            end++;
        }
        byte[] number = NUMBERS[random.nextInt(NUMBERS.length)].getBytes();
        return splice(bytes, start, end - start, number, 0, number.length);
    }

    private static byte[] splice(byte[] bytes, int at, int removed, byte[] source, int from, int inserted) {
        ByteArrayOutputStream result = new ByteArrayOutputStream(bytes.length + inserted);
        result.write(bytes, 0, at);
        result.write(source, from, inserted);
        result.write(bytes, at + removed, bytes.length - at - removed);
        return result.toByteArray();
    }
}
