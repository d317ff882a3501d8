package kiln.runtime.text;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * CLIP's byte-pair merges. Tokens are numbers from the start: 0-255 the bytes in CLIP's order, 256-511 the same as a word's last
 * byte, and 512 + n what merge n makes; so a token's number is also its rank, and a lower one is merged first.
 */
final class Merges {
    static final int NONE = Integer.MAX_VALUE;
    static final int FIRST = 512;

    private static final String FILE = "clip-merges.bin";
    private static final int SLOTS = 1 << 17;
    private static final int FREE = -1;

    private final int[] keys = new int[SLOTS];
    private final char[] values = new char[SLOTS];
    private final char[] left;
    private final char[] right;

    private Merges(char[] left, char[] right) {
        this.left = left;
        this.right = right;
        Arrays.fill(keys, FREE);
        for (int n = 0; n < left.length; n++) {
            int key = left[n] << 16 | right[n];
            int slot = slot(key);
            while (keys[slot] != FREE) {
                slot = slot + 1 & SLOTS - 1;
            }
            keys[slot] = key;
            values[slot] = (char) (FIRST + n);
        }
    }

    static Merges load() {
        try (DataInputStream in = Resources.open(FILE)) {
            ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes());
            int count = bytes.remaining() / 4;
            char[] left = new char[count];
            char[] right = new char[count];
            for (int n = 0; n < count; n++) {
                left[n] = bytes.getChar();
                right[n] = bytes.getChar();
            }
            return new Merges(left, right);
        } catch (IOException e) {
            throw Resources.broken(FILE, e);
        }
    }

    int tokens() {
        return FIRST + left.length;
    }

    int left(int token) {
        return left[token - FIRST];
    }

    int right(int token) {
        return right[token - FIRST];
    }

    /** The token that these two make, or {@link #NONE}. */
    int of(int first, int second) {
        int key = first << 16 | second;
        int slot = slot(key);
        while (true) {
            int found = keys[slot];
            if (found == key) {
                return values[slot];
            }
            if (found == FREE) {
                return NONE;
            }
            slot = slot + 1 & SLOTS - 1;
        }
    }

    private static int slot(int key) {
        return key * 0x9E3779B1 >>> 32 - 17;
    }
}
