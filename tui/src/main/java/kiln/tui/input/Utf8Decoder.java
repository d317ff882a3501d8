package kiln.tui.input;

/** UTF-8 byte by byte; malformed input yields nothing, and decoding goes on with the next lead byte. */
final class Utf8Decoder {
    /** More bytes are needed. */
    static final int INCOMPLETE = -1;

    static final int MALFORMED = -2;

    private int codePoint;
    private int missing;
    private int least;

    /** The code point that {@code b} completes, or one of the negative answers. */
    int accept(int b) {
        if (missing > 0 && (b & 0xc0) == 0x80) {
            codePoint = codePoint << 6 | b & 0x3f;
            if (--missing > 0) {
                return INCOMPLETE;
            }
            boolean surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
            return codePoint < least || codePoint > Character.MAX_CODE_POINT || surrogate ? MALFORMED : codePoint;
        }
        missing = 0;
        if (b < 0x80) {
            return b;
        }
        if (b >= 0xc2 && b <= 0xdf) {
            return begin(b & 0x1f, 1, 0x80);
        }
        if (b >= 0xe0 && b <= 0xef) {
            return begin(b & 0x0f, 2, 0x800);
        }
        if (b >= 0xf0 && b <= 0xf4) {
            return begin(b & 0x07, 3, 0x10000);
        }
        return MALFORMED;
    }

    private int begin(int bits, int more, int smallest) {
        codePoint = bits;
        missing = more;
        least = smallest;
        return INCOMPLETE;
    }

    void reset() {
        missing = 0;
    }
}
