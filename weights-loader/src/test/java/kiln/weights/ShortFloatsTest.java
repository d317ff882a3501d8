package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ShortFloatsTest {
    private static final long SEED = 20221006;

    @Test
    void everyF16HasTheValueThatItsBitsSay() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = bits >> 10 & 0x1f;
            int mantissa = bits & 0x3ff;
            double magnitude = exponent == 0 ? Math.scalb((double) mantissa, -24)
                    : exponent < 31 ? Math.scalb(1 + mantissa / 1024.0, exponent - 15)
                    : mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            float expected = (float) (bits < 0x8000 ? magnitude : -magnitude);
            float found = ShortFloats.f16ToF32((short) bits);
            assertThat(found).as("f16 %04x", bits).isEqualTo((Float) expected);
            if (!Float.isNaN(found)) {
                assertThat(Float.floatToRawIntBits(found) >>> 31).as("sign of f16 %04x", bits).isEqualTo(bits >> 15);
                assertThat(ShortFloats.f32ToF16(found)).as("f16 %04x and back", bits).isEqualTo((short) bits);
            } else {
                assertThat(ShortFloats.f16ToF32(ShortFloats.f32ToF16(found))).isNaN();
            }
        }
    }

    @Test
    void everyBf16IsTheUpperHalfOfAFloat() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float found = ShortFloats.bf16ToF32((short) bits);
            assertThat(Float.floatToRawIntBits(found) >>> 16).isEqualTo(bits);
            if (!Float.isNaN(found)) {
                assertThat(ShortFloats.f32ToBf16(found)).as("bf16 %04x and back", bits).isEqualTo((short) bits);
            } else {
                assertThat(ShortFloats.bf16ToF32(ShortFloats.f32ToBf16(found))).isNaN();
            }
        }
    }

    @Test
    void roundingToF16GoesToTheNearestAndTiesToEven() {
        for (int bits = 0; bits < 0x7bff; bits++) {
            assertRoundsBetween(bits, ShortFloats.f16ToF32((short) bits), ShortFloats.f16ToF32((short) (bits + 1)), true);
        }
        assertThat(ShortFloats.f32ToF16(65519.996f)).isEqualTo((short) 0x7bff);
        assertThat(ShortFloats.f32ToF16(65520f)).isEqualTo((short) 0x7c00);
        assertThat(ShortFloats.f32ToF16(Float.MAX_VALUE)).isEqualTo((short) 0x7c00);
        assertThat(ShortFloats.f32ToF16(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xfc00);
        assertThat(ShortFloats.f32ToF16(Float.MIN_VALUE)).isEqualTo((short) 0);
    }

    @Test
    void roundingToBf16GoesToTheNearestAndTiesToEven() {
        for (int bits = 0; bits < 0x7f7f; bits++) {
            assertRoundsBetween(bits, ShortFloats.bf16ToF32((short) bits), ShortFloats.bf16ToF32((short) (bits + 1)), false);
        }
        assertThat(ShortFloats.f32ToBf16(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
    }

    /** The middle of two neighbours goes to the one with an even pattern, what lies beside it to the nearer one. */
    private static void assertRoundsBetween(int bits, float low, float high, boolean f16) {
        float middle = (float) (((double) low + high) / 2);
        int[] expected = {bits, bits + (bits & 1), bits + 1};
        float[] values = {Math.nextDown(middle), middle, Math.nextUp(middle)};
        for (int i = 0; i < 3; i++) {
            for (float value : new float[] {values[i], -values[i]}) {
                int found = (f16 ? ShortFloats.f32ToF16(value) : ShortFloats.f32ToBf16(value)) & 0xffff;
                assertThat(found).as("%s", value).isEqualTo(expected[i] | (value < 0 || 1 / value < 0 ? 0x8000 : 0));
            }
        }
    }

    @Test
    void arraysConvertAsTheirElementsAndTouchNothingElse() {
        Random random = new Random(SEED);
        for (int count : new int[] {0, 1, 7, 16, 33, 1000}) {
            int from = random.nextInt(5);
            int to = random.nextInt(5);
            short[] shorts = new short[from + count + 3];
            float[] floats = new float[from + count + 3];
            for (int i = 0; i < shorts.length; i++) {
                shorts[i] = (short) random.nextInt();
                floats[i] = Float.intBitsToFloat(random.nextInt());
            }
            float[] fromF16 = new float[to + count + 3];
            float[] fromBf16 = fromF16.clone();
            short[] toF16 = new short[to + count + 3];
            short[] toBf16 = toF16.clone();
            ShortFloats.f16ToF32(shorts, from, fromF16, to, count);
            ShortFloats.bf16ToF32(shorts, from, fromBf16, to, count);
            ShortFloats.f32ToF16(floats, from, toF16, to, count);
            ShortFloats.f32ToBf16(floats, from, toBf16, to, count);
            for (int i = 0; i < fromF16.length; i++) {
                boolean inside = i >= to && i < to + count;
                int source = i - to + from;
                assertThat(fromF16[i]).as("seed %d", SEED).isEqualTo((Float) (inside ? ShortFloats.f16ToF32(shorts[source]) : 0));
                assertThat(fromBf16[i]).as("seed %d", SEED).isEqualTo((Float) (inside ? ShortFloats.bf16ToF32(shorts[source]) : 0));
                assertThat(toF16[i]).as("seed %d", SEED).isEqualTo(inside ? ShortFloats.f32ToF16(floats[source]) : 0);
                assertThat(toBf16[i]).as("seed %d", SEED).isEqualTo(inside ? ShortFloats.f32ToBf16(floats[source]) : 0);
            }
        }
    }
}
