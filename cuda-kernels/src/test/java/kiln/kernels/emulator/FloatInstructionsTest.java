package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.bits;
import static kiln.kernels.emulator.Snippet.floats;
import static kiln.kernels.emulator.Snippet.run32;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FloatInstructionsTest {
    private static final float NAN = Float.NaN;
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    private static float[] run(String instruction, float[]... inputs) {
        StringBuilder moves = new StringBuilder();
        int[][] given = new int[inputs.length][];
        for (int i = 0; i < inputs.length; i++) {
            given[i] = bits(inputs[i]);
            moves.append("    mov.b32 %f").append(i + 1).append(", %r").append(i + 1).append(";\n");
        }
        return floats(run32(moves + "    " + instruction + "\n    mov.b32 %r0, %f0;", given));
    }

    private static float[] of(float... values) {
        return values;
    }

    @Test
    void sumsAndProductsAreThoseOfJava() {
        Random random = new Random(11);
        float[] a = new float[256];
        float[] b = new float[256];
        float[] c = new float[256];
        for (int i = 0; i < a.length; i++) {
            a[i] = Float.intBitsToFloat(random.nextInt());
            b[i] = Float.intBitsToFloat(random.nextInt());
            c[i] = a[i] * b[i] * (1 + random.nextFloat() * 1e-6f);
        }
        float[] sum = run("add.rn.f32 %f0, %f1, %f2;", a, b);
        float[] difference = run("sub.f32 %f0, %f1, %f2;", a, b);
        float[] product = run("mul.f32 %f0, %f1, %f2;", a, b);
        float[] quotient = run("div.rn.f32 %f0, %f1, %f2;", a, b);
        float[] fused = run("fma.rn.f32 %f0, %f1, %f2, %f3;", a, b, c);
        for (int i = 0; i < a.length; i++) {
            // As objects, so that NaN equals NaN.
            assertThat(sum[i]).isEqualTo(Float.valueOf(a[i] + b[i]));
            assertThat(difference[i]).isEqualTo(Float.valueOf(a[i] - b[i]));
            assertThat(product[i]).isEqualTo(Float.valueOf(a[i] * b[i]));
            assertThat(quotient[i]).isEqualTo(Float.valueOf(a[i] / b[i]));
            assertThat(fused[i]).isEqualTo(Float.valueOf(Math.fma(a[i], b[i], c[i])));
        }
    }

    @Test
    void directedRoundingsEncloseTheExactResult() {
        Random random = new Random(12);
        int count = 256;
        float[] a = new float[count];
        float[] b = new float[count];
        float[] c = new float[count];
        for (int i = 0; i < count; i++) {
            a[i] = random.nextFloat() - 0.5f;
            b[i] = (random.nextFloat() - 0.5f) * 1e-3f;
            c[i] = random.nextFloat() * 1e-12f;
        }
        float[] down = run("fma.rm.f32 %f0, %f1, %f2, %f3;", a, b, c);
        float[] up = run("fma.rp.f32 %f0, %f1, %f2, %f3;", a, b, c);
        float[] toZero = run("fma.rz.f32 %f0, %f1, %f2, %f3;", a, b, c);
        float[] sumDown = run("add.rm.f32 %f0, %f1, %f2;", a, b);
        float[] quotientUp = run("div.rp.f32 %f0, %f1, %f2;", a, b);
        for (int i = 0; i < count; i++) {
            BigDecimal exact = new BigDecimal(a[i]).multiply(new BigDecimal(b[i])).add(new BigDecimal(c[i]));
            assertThat(new BigDecimal(down[i])).isLessThanOrEqualTo(exact);
            assertThat(new BigDecimal(Math.nextUp(down[i]))).isGreaterThan(exact);
            assertThat(new BigDecimal(up[i])).isGreaterThanOrEqualTo(exact);
            assertThat(new BigDecimal(Math.nextDown(up[i]))).isLessThan(exact);
            assertThat(toZero[i]).isEqualTo(exact.signum() > 0 ? down[i] : up[i]);
            BigDecimal sum = new BigDecimal(a[i]).add(new BigDecimal(b[i]));
            assertThat(new BigDecimal(sumDown[i])).isLessThanOrEqualTo(sum);
            assertThat(new BigDecimal(Math.nextUp(sumDown[i]))).isGreaterThan(sum);
            // q is the least float with q*b on the far side of a.
            BigDecimal back = new BigDecimal(quotientUp[i]).multiply(new BigDecimal(b[i]));
            assertThat(back.compareTo(new BigDecimal(a[i])) * Math.signum(b[i])).isGreaterThanOrEqualTo(0);
        }
    }

    @Test
    void minimumAndMaximumSkipNaN() {
        assertThat(run("min.f32 %f0, %f1, %f2;", of(1, NAN, 3, 0f), of(2, 5, NAN, -0f))).containsExactly(1, 5, 3, -0f);
        assertThat(run("max.f32 %f0, %f1, %f2;", of(1, NAN, 3, -0f), of(2, 5, NAN, 0f))).containsExactly(2, 5, 3, 0f);
        assertThat(run("max.NaN.f32 %f0, %f1, %f2;", of(1, NAN), of(2, 5))).containsExactly(2, NAN);
    }

    @Test
    void signsAndRoots() {
        assertThat(run("neg.f32 %f0, %f1;", of(1, -0f))).containsExactly(-1, 0f);
        assertThat(run("abs.f32 %f0, %f1;", of(-1, -INFINITY))).containsExactly(1, INFINITY);
        assertThat(run("copysign.f32 %f0, %f1, %f2;", of(-1, 1), of(3, -4))).containsExactly(-3, 4);
        assertThat(run("sqrt.rn.f32 %f0, %f1;", of(2, -1, 0))).containsExactly((float) Math.sqrt(2), NAN, 0);
        assertThat(run("rcp.rn.f32 %f0, %f1;", of(3, 0))).containsExactly(1 / 3f, INFINITY);
        assertThat(run("rsqrt.approx.f32 %f0, %f1;", of(4, 0))).containsExactly(0.5f, INFINITY);
    }

    @Test
    void approximationsAreTheNearestFloat() {
        assertThat(run("ex2.approx.f32 %f0, %f1;", of(0, 3, -2, 0.5f, -INFINITY, 200))).containsExactly(1, 8, 0.25f, (float) Math.sqrt(2), 0, INFINITY);
        assertThat(run("lg2.approx.f32 %f0, %f1;", of(1, 8, 0.25f, 0, -1))).containsExactly(0, 3, -2, -INFINITY, NAN);
        assertThat(run("sin.approx.f32 %f0, %f1;", of(0.5f))).containsExactly((float) Math.sin(0.5));
        assertThat(run("cos.approx.f32 %f0, %f1;", of(0.5f))).containsExactly((float) Math.cos(0.5));
        assertThat(run("tanh.approx.f32 %f0, %f1;", of(0.5f, INFINITY))).containsExactly((float) Math.tanh(0.5), 1);
        assertThat(run("div.full.f32 %f0, %f1, %f2;", of(1), of(3))).containsExactly(1 / 3f);
    }

    @Test
    void saturationAndFlushing() {
        assertThat(run("add.sat.f32 %f0, %f1, %f2;", of(1, -3, NAN, 0.25f), of(2, 1, 1, 0.5f))).containsExactly(1, 0, 0, 0.75f);
        assertThat(run("fma.rn.sat.f32 %f0, %f1, %f2, %f1;", of(1, -3), of(2, 1))).containsExactly(1, 0);
        float tiny = Float.MIN_NORMAL / 2;
        assertThat(run("mul.ftz.f32 %f0, %f1, %f2;", of(tiny, Float.MIN_NORMAL, -tiny), of(1e10f, 0.5f, 1))).containsExactly(0, 0, -0f);
        assertThat(run("mul.f32 %f0, %f1, %f2;", of(tiny, Float.MIN_NORMAL), of(2, 0.5f))).containsExactly(2 * tiny, tiny);
        assertThat(run("ex2.approx.ftz.f32 %f0, %f1;", of(-130, 1))).containsExactly(0, 2);
    }

    @Test
    void doubles() {
        long[] result = Snippet.run64("""
                mov.b64 %fd1, %rd1;
                mov.b64 %fd2, %rd2;
                fma.rn.f64 %fd3, %fd1, %fd2, 0d3FF0000000000000;
                sub.f64 %fd3, %fd3, %fd2;
                div.rn.f64 %fd3, %fd3, 2.0;
                mov.b64 %rd0, %fd3;
            """, Snippet.longs(Double.doubleToRawLongBits(3)), Snippet.longs(Double.doubleToRawLongBits(0.1)));
        assertThat(Double.longBitsToDouble(result[0])).isEqualTo((Math.fma(3, 0.1, 1) - 0.1) / 2);
    }
}
