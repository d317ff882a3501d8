package kiln.runtime.text;

import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * Merges the bytes of one word after another into tokens, always the lowest-ranked pair first and from the left. One encoder serves
 * one thread; its arrays are reused between words and grow with the text.
 */
final class WordEncoder {
    /** Up to here looking through all pairs each time is fastest; beyond, a queue keeps a word of 10⁵ letters from taking minutes. */
    private static final int SHORT_WORD = 48;

    /** CLIP's number for each byte: printable Latin-1 first, the rest behind. */
    private static final short[] SYMBOLS = symbols();

    private final Merges merges;
    private int[] word = new int[64];
    private int length;
    private final int[] pairs = new int[SHORT_WORD];
    private int[] tokens;
    private int count;

    WordEncoder(Merges merges, int expectedTokens) {
        this.merges = merges;
        tokens = new int[Math.max(16, expectedTokens)];
    }

    static byte[] bytesInOrder() {
        byte[] bytes = new byte[256];
        for (int b = 0; b < 256; b++) {
            bytes[SYMBOLS[b]] = (byte) b;
        }
        return bytes;
    }

    int[] tokens() {
        return Arrays.copyOf(tokens, count);
    }

    int count() {
        return count;
    }

    void token(int id) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * count);
        }
        tokens[count++] = id;
    }

    void word(String text, int start, int end) {
        length = 0;
        if (word.length < 3 * (end - start)) {
            word = new int[4 * (end - start)];
        }
        for (int i = start; i < end; ) {
            int c = text.codePointAt(i);
            if (c < 0x80) {
                word[length++] = SYMBOLS[c];
            } else {
                utf8(c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c);
            }
            i += Character.charCount(c);
        }
        word[length - 1] += 256;
        if (length <= SHORT_WORD) {
            mergeShort();
        } else {
            mergeLong();
        }
    }

    private void utf8(int c) {
        if (c < 0x800) {
            word[length++] = SYMBOLS[0xC0 | c >> 6];
        } else if (c < 0x10000) {
            word[length++] = SYMBOLS[0xE0 | c >> 12];
            word[length++] = SYMBOLS[0x80 | c >> 6 & 0x3F];
        } else {
            word[length++] = SYMBOLS[0xF0 | c >> 18];
            word[length++] = SYMBOLS[0x80 | c >> 12 & 0x3F];
            word[length++] = SYMBOLS[0x80 | c >> 6 & 0x3F];
        }
        word[length++] = SYMBOLS[0x80 | c & 0x3F];
    }

    private void mergeShort() {
        int n = length;
        for (int i = 0; i + 1 < n; i++) {
            pairs[i] = merges.of(word[i], word[i + 1]);
        }
        while (n > 1) {
            int best = 0;
            for (int i = 1; i + 1 < n; i++) {
                if (pairs[i] < pairs[best]) {
                    best = i;
                }
            }
            if (pairs[best] == Merges.NONE) {
                break;
            }
            word[best] = pairs[best];
            int moved = n - best - 2;
            System.arraycopy(word, best + 2, word, best + 1, moved);
            System.arraycopy(pairs, best + 1, pairs, best, moved);
            n--;
            if (best > 0) {
                pairs[best - 1] = merges.of(word[best - 1], word[best]);
            }
            if (best + 1 < n) {
                pairs[best] = merges.of(word[best], word[best + 1]);
            }
        }
        for (int i = 0; i < n; i++) {
            token(word[i]);
        }
    }

    /** The same order of merges; a queue of (rank, place) replaces the search, and pairs that no longer exist are skipped. */
    private void mergeLong() {
        int[] next = new int[length];
        int[] previous = new int[length];
        PriorityQueue<Long> queue = new PriorityQueue<>();
        for (int i = 0; i < length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            offer(queue, i, i + 1);
        }
        while (!queue.isEmpty()) {
            long entry = queue.poll();
            int i = (int) entry;
            int second = next[i];
            // A place that was merged away has no successor; a token has one merge, so the same pair means the same token.
            if (second < 0 || second >= length || merges.of(word[i], word[second]) != entry >>> 32) {
                continue;
            }
            word[i] = (int) (entry >>> 32);
            next[i] = next[second];
            next[second] = -1;
            if (next[i] < length) {
                previous[next[i]] = i;
            }
            if (previous[i] >= 0) {
                offer(queue, previous[i], i);
            }
            offer(queue, i, next[i]);
        }
        for (int i = 0; i < length; i = next[i]) {
            token(word[i]);
        }
    }

    private void offer(PriorityQueue<Long> queue, int first, int second) {
        if (second < length) {
            int merged = merges.of(word[first], word[second]);
            if (merged != Merges.NONE) {
                queue.add((long) merged << 32 | first);
            }
        }
    }

    private static short[] symbols() {
        short[] symbols = new short[256];
        int printable = 0;
        int other = 188;
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= 33 && b <= 126 || b >= 161 && b <= 172 || b >= 174;
            symbols[b] = (short) (prints ? printable++ : other++);
        }
        return symbols;
    }
}
