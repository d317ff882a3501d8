package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.ints;
import static kiln.kernels.emulator.Snippet.run32;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HalfInstructionsTest {
    private static int pair(float low, float high) {
        return Half.fromFloat(low) | Half.fromFloat(high) << 16;
    }

    @Test
    void everyHalfSurvivesTheWayToFloatAndBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Half.toFloat(bits);
            int expected = Float.isNaN(value) ? 0x7fff : bits;
            assertThat(Half.fromFloat(value)).isEqualTo(expected);
            assertThat(SmallFloat.FLOAT16.encode(value, Rounding.NEAREST)).isEqualTo(expected);
            float brain = Half.bfloatToFloat(bits);
            int expectedBrain = Float.isNaN(brain) ? 0x7fff : bits;
            assertThat(Half.bfloatFromFloat(brain)).isEqualTo(expectedBrain);
            assertThat(SmallFloat.BFLOAT16.encode(brain, Rounding.NEAREST)).isEqualTo(expectedBrain);
        }
    }

    @Test
    void floatsGoToTheNearestHalfTiesToEven() {
        // Around every midpoint of two neighbouring halves.
        for (int bits = 0; bits < 0x7c00; bits++) {
            float low = Half.toFloat(bits);
            float high = bits == 0x7bff ? 65536 : Half.toFloat(bits + 1);
            float middle = (low + high) / 2;
            assertThat(Half.fromFloat(middle)).isEqualTo((bits & 1) == 0 ? bits : bits + 1);
            assertThat(Half.fromFloat(Math.nextDown(middle))).isEqualTo(bits);
            assertThat(Half.fromFloat(Math.nextUp(middle))).isEqualTo(bits + 1);
            assertThat(Half.fromFloat(-Math.nextUp(middle))).isEqualTo(bits + 1 | 0x8000);
        }
        assertThat(Half.fromFloat(Float.MIN_VALUE)).isZero();
        assertThat(Half.fromFloat(Float.MAX_VALUE)).isEqualTo(0x7c00);
    }

    @Test
    void bothWaysOfRoundingAgree() {
        Random random = new Random(21);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            assertThat(Half.fromFloat(value)).isEqualTo(SmallFloat.FLOAT16.encode(value, Rounding.NEAREST));
            assertThat(Half.bfloatFromFloat(value)).isEqualTo(SmallFloat.BFLOAT16.encode(value, Rounding.NEAREST));
            float near = Math.scalb(random.nextFloat(), random.nextInt(20) - 26);
            assertThat(Half.fromFloat(near)).isEqualTo(SmallFloat.FLOAT16.encode(near, Rounding.NEAREST));
        }
    }

    @Test
    void pairsAddMultiplyAndFuse() {
        int a = pair(1.5f, -2);
        int b = pair(0.25f, 3);
        assertThat(run32("    add.f16x2 %r0, %r1, %r2;", ints(a), ints(b))).containsExactly(pair(1.75f, 1));
        assertThat(run32("    sub.f16x2 %r0, %r1, %r2;", ints(a), ints(b))).containsExactly(pair(1.25f, -5));
        assertThat(run32("    mul.f16x2 %r0, %r1, %r2;", ints(a), ints(b))).containsExactly(pair(0.375f, -6));
        assertThat(run32("    fma.rn.f16x2 %r0, %r1, %r2, %r3;", ints(a), ints(b), ints(pair(1, 2)))).containsExactly(pair(1.375f, -4));
        assertThat(run32("    fma.rn.relu.f16x2 %r0, %r1, %r2, %r3;", ints(a), ints(b), ints(pair(1, 2)))).containsExactly(pair(1.375f, 0));
        assertThat(run32("    neg.f16x2 %r0, %r1;", ints(a))).containsExactly(pair(-1.5f, 2));
        assertThat(run32("    abs.f16x2 %r0, %r1;", ints(a))).containsExactly(pair(1.5f, 2));
        assertThat(run32("    max.f16x2 %r0, %r1, %r2;", ints(a), ints(b))).containsExactly(pair(1.5f, 3));
        assertThat(run32("    min.f16x2 %r0, %r1, %r2;", ints(a), ints(pair(Float.NaN, 3)))).containsExactly(pair(1.5f, -2));
        assertThat(run32("    ex2.approx.f16x2 %r0, %r1;", ints(pair(3, -1)))).containsExactly(pair(8, 0.5f));
        assertThat(run32("    tanh.approx.f16x2 %r0, %r1;", ints(pair(0, 20)))).containsExactly(pair(0, 1));
    }

    @Test
    void brainFloatsMultiplyAndFuse() {
        int a = Half.bfloatFromFloat(1.5f) | Half.bfloatFromFloat(-2) << 16;
        int b = Half.bfloatFromFloat(4) | Half.bfloatFromFloat(0.5f) << 16;
        assertThat(run32("    mul.rn.bf16x2 %r0, %r1, %r2;", ints(a), ints(b))).containsExactly(Half.bfloatFromFloat(6) | Half.bfloatFromFloat(-1) << 16);
        assertThat(run32("    fma.rn.bf16x2 %r0, %r1, %r2, %r1;", ints(a), ints(b)))
                .containsExactly(Half.bfloatFromFloat(7.5f) | Half.bfloatFromFloat(-3) << 16);
    }

    @Test
    void aFusedHalfIsRoundedOnce() {
        long seed = 22;
        Random random = new Random(seed);
        int count = 512;
        int[] a = new int[count];
        int[] b = new int[count];
        int[] c = new int[count];
        for (int i = 0; i < count; i++) {
            a[i] = random.nextInt(0x7800);
            b[i] = random.nextInt(0x7800);
            c[i] = random.nextInt(0x7800) | random.nextInt(2) << 15;
        }
        int[] result = run32("""
                cvt.u16.u32 %h1, %r1;
                cvt.u16.u32 %h2, %r2;
                cvt.u16.u32 %h3, %r3;
                fma.rn.f16 %h0, %h1, %h2, %h3;
                cvt.u32.u16 %r0, %h0;
            """, a, b, c);
        for (int i = 0; i < count; i++) {
            BigDecimal exact = new BigDecimal(Half.toFloat(a[i])).multiply(new BigDecimal(Half.toFloat(b[i]))).add(new BigDecimal(Half.toFloat(c[i])));
            assertThat(result[i]).as("i=%d seed=%d", i, seed).isEqualTo(nearest(exact));
        }
    }

    private static int nearest(BigDecimal exact) {
        int sign = exact.signum() < 0 ? 0x8000 : 0;
        BigDecimal magnitude = exact.abs();
        if (magnitude.compareTo(new BigDecimal(65520)) >= 0) {
            return sign | 0x7c00;
        }
        int low = 0;
        int high = 0x7bff;
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (new BigDecimal(Half.toFloat(middle)).compareTo(magnitude) <= 0) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        if (low == 0x7bff) {
            return sign | low;
        }
        BigDecimal below = magnitude.subtract(new BigDecimal(Half.toFloat(low)));
        BigDecimal above = new BigDecimal(Half.toFloat(low + 1)).subtract(magnitude);
        int order = below.compareTo(above);
        return sign | (order < 0 || order == 0 && (low & 1) == 0 ? low : low + 1);
    }
}
