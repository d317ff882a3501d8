package kiln.runtime.exec.onednn;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.stream.IntStream;
import kiln.weights.ShortFloats;

/**
 * 32-bit floats kept as the 16-bit ones that they came from. On several threads at once, since a CPU without 16-bit instructions has
 * nothing faster than plain Java to widen them: oneDNN's own reordering took forty times as long there.
 */
final class NarrowBlock implements AutoCloseable {
    private static final int PIECE = 1 << 15;

    private final AlignedMemory block;
    private final int elements;
    private final boolean isF16;

    private NarrowBlock(AlignedMemory block, int elements, boolean isF16) {
        this.block = block;
        this.elements = elements;
        this.isF16 = isF16;
    }

    /** The same values in half the room; {@code null} where neither f16 nor bf16 holds all of them. */
    static NarrowBlock of(AlignedMemory wide, long bytes) {
        FloatBuffer values = wide.buffer(0, bytes).asFloatBuffer();
        int elements = values.capacity();
        for (boolean isF16 : new boolean[] {true, false}) {
            NarrowBlock narrow = new NarrowBlock(new AlignedMemory((long) elements * Short.BYTES), elements, isF16);
            if (IntStream.range(0, narrow.pieces()).parallel().allMatch(piece -> narrow.holds(values, piece))) {
                return narrow;
            }
            narrow.close();
        }
        return null;
    }

    private int pieces() {
        return (elements + PIECE - 1) / PIECE;
    }

    private int length(int piece) {
        return Math.min(PIECE, elements - piece * PIECE);
    }

    private ShortBuffer halves() {
        return block.buffer(0, (long) elements * Short.BYTES).asShortBuffer();
    }

    private boolean holds(FloatBuffer values, int piece) {
        int length = length(piece);
        float[] wide = new float[length];
        short[] narrow = new short[length];
        float[] again = new float[length];
        values.get(piece * PIECE, wide);
        if (isF16) {
            ShortFloats.f32ToF16(wide, 0, narrow, 0, length);
        } else {
            ShortFloats.f32ToBf16(wide, 0, narrow, 0, length);
        }
        widen(narrow, again);
        for (int i = 0; i < length; i++) {
            if (Float.floatToRawIntBits(again[i]) != Float.floatToRawIntBits(wide[i])) {
                return false;
            }
        }
        halves().put(piece * PIECE, narrow);
        return true;
    }

    private void widen(short[] narrow, float[] wide) {
        if (isF16) {
            ShortFloats.f16ToF32(narrow, 0, wide, 0, narrow.length);
        } else {
            ShortFloats.bf16ToF32(narrow, 0, wide, 0, narrow.length);
        }
    }

    long bytes() {
        return (long) elements * Short.BYTES;
    }

    /** Writes the values to the beginning of a block that is large enough. */
    void widenInto(AlignedMemory target) {
        FloatBuffer values = target.buffer(0, (long) elements * Float.BYTES).asFloatBuffer();
        ShortBuffer halves = halves();
        IntStream.range(0, pieces()).parallel().forEach(piece -> {
            short[] narrow = new short[length(piece)];
            float[] wide = new float[narrow.length];
            halves.get(piece * PIECE, narrow);
            widen(narrow, wide);
            values.put(piece * PIECE, wide);
        });
    }

    @Override
    public void close() {
        block.close();
    }
}
