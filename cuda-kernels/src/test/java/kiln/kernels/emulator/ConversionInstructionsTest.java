package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.bits;
import static kiln.kernels.emulator.Snippet.floats;
import static kiln.kernels.emulator.Snippet.ints;
import static kiln.kernels.emulator.Snippet.longs;
import static kiln.kernels.emulator.Snippet.run32;
import static kiln.kernels.emulator.Snippet.run64;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversionInstructionsTest {
    private static int[] fromFloat(String opcode, float... values) {
        return run32("    mov.b32 %f1, %r1;\n    " + opcode + " %r0, %f1;", bits(values));
    }

    private static float[] toFloat(String opcode, int... values) {
        return floats(run32("    " + opcode + " %f0, %r1;\n    mov.b32 %r0, %f0;", values));
    }

    @ParameterizedTest
    @CsvSource({"rni, 2, 4, -2, 3", "rzi, 2, 3, -2, 2", "rmi, 2, 3, -3, 2", "rpi, 3, 4, -2, 3"})
    void floatsRoundToIntegersInEveryDirection(String direction, int a, int b, int c, int d) {
        assertThat(fromFloat("cvt." + direction + ".s32.f32", 2.5f, 3.5f, -2.5f, 2.7f)).containsExactly(a, b, c, d);
        float[] whole = floats(run32("    mov.b32 %f1, %r1;\n    cvt." + direction + ".f32.f32 %f0, %f1;\n    mov.b32 %r0, %f0;", bits(2.5f, 3.5f, -2.5f, 2.7f)));
        assertThat(whole).containsExactly(a, b, c, d);
    }

    @Test
    void integersAreClampedAndNaNIsZero() {
        assertThat(fromFloat("cvt.rzi.s32.f32", 3e9f, -3e9f, Float.NaN)).containsExactly(Integer.MAX_VALUE, Integer.MIN_VALUE, 0);
        assertThat(fromFloat("cvt.rzi.u32.f32", 3e9f, -5, 5e9f)).containsExactly((int) 3_000_000_000L, 0, -1);
        assertThat(fromFloat("cvt.rni.s8.f32", 300, -300, 5)).containsExactly(127, -128, 5);
        assertThat(fromFloat("cvt.rni.u8.f32", 300, -300, 5)).containsExactly(255, 0, 5);
    }

    @Test
    void integersBecomeFloats() {
        assertThat(toFloat("cvt.rn.f32.s32", -7, 16777217, 16777219)).containsExactly(-7, 16777216, 16777220);
        assertThat(toFloat("cvt.rn.f32.u32", -1)).containsExactly(4294967296f);
        assertThat(toFloat("cvt.rz.f32.u32", -1)).containsExactly(4294967040f);
        assertThat(toFloat("cvt.rp.f32.s32", 16777217)).containsExactly(16777218);
        assertThat(run64("    cvt.rn.f32.u64 %f1, %rd1;\n    cvt.rzi.u64.f32 %rd0, %f1;", longs(-1L, (1L << 62) + 1, 0x8000_0080_0000_0001L)))
                .containsExactly(-1L, 1L << 62, 0x8000_0100_0000_0000L);
        assertThat(run64("    cvt.rn.f64.s64 %fd1, %rd1;\n    cvt.rzi.s64.f64 %rd0, %fd1;", longs(-5, (1L << 53) + 1))).containsExactly(-5, 1L << 53);
    }

    @Test
    void integersChangeTheirWidth() {
        assertThat(run32("    cvt.s32.s8 %r0, %r1;", ints(0x1ff, 0x17f))).containsExactly(-1, 127);
        assertThat(run32("    cvt.u32.u8 %r0, %r1;", ints(0x1ff))).containsExactly(0xff);
        assertThat(run32("    cvt.u8.u32 %r0, %r1;", ints(0x1234))).containsExactly(0x34);
        assertThat(run32("    cvt.u16.u32 %h1, %r1;\n    cvt.s32.s16 %r0, %h1;", ints(0x1fffe))).containsExactly(-2);
        assertThat(run32("    cvt.sat.s8.s32 %r0, %r1;", ints(1000, -1000, -5))).containsExactly(127, -128, -5);
        assertThat(run32("    cvt.sat.u8.s32 %r0, %r1;", ints(1000, -1000, 5))).containsExactly(255, 0, 5);
        assertThat(run64("    cvt.u32.u64 %r1, %rd1;\n    cvt.s64.s32 %rd0, %r1;", longs(0x1_ffff_fffeL))).containsExactly(-2);
        assertThat(run64("    cvt.u32.u64 %r1, %rd1;\n    cvt.u64.u32 %rd0, %r1;", longs(0x1_ffff_fffeL))).containsExactly(0xffff_fffeL);
    }

    @Test
    void halvesComeFromFloatsInEveryDirection() {
        float value = 1 + 3f / 2048;
        assertThat(run32("    mov.b32 %f1, %r1;\n    cvt.rn.f16.f32 %h0, %f1;\n    cvt.u32.u16 %r0, %h0;", bits(value, 1e6f, -1e-9f)))
                .containsExactly(0x3c02, 0x7c00, 0x8000);
        assertThat(run32("    mov.b32 %f1, %r1;\n    cvt.rz.f16.f32 %h0, %f1;\n    cvt.u32.u16 %r0, %h0;", bits(value, 1e6f))).containsExactly(0x3c01, 0x7bff);
        assertThat(run32("    mov.b32 %f1, %r1;\n    cvt.rn.bf16.f32 %h0, %f1;\n    cvt.u32.u16 %r0, %h0;", bits(1.00390625f, 3e38f))).containsExactly(0x3f80, 0x7f62);
        assertThat(floats(run32("    cvt.u16.u32 %h1, %r1;\n    cvt.f32.f16 %f0, %h1;\n    mov.b32 %r0, %f0;", ints(0x3c01, 0x0001, 0xfc00))))
                .containsExactly(1.0009765625f, 0x1p-24f, Float.NEGATIVE_INFINITY);
        assertThat(run32("    cvt.u16.u32 %h1, %r1;\n    cvt.rni.s32.f16 %r0, %h1;", ints(Half.fromFloat(-2.5f)))).containsExactly(-2);
        assertThat(run32("    cvt.rn.f16.s32 %h1, %r1;\n    cvt.u32.u16 %r0, %h1;", ints(3, 100000))).containsExactly(0x4200, 0x7c00);
    }

    @Test
    void twoFloatsBecomeAPair() {
        String moves = "    mov.b32 %f1, %r1;\n    mov.b32 %f2, %r2;\n";
        assertThat(run32(moves + "    cvt.rn.f16x2.f32 %r0, %f1, %f2;", bits(1), bits(2))).containsExactly(0x3c00_4000);
        assertThat(run32(moves + "    cvt.rn.bf16x2.f32 %r0, %f1, %f2;", bits(1), bits(2))).containsExactly(0x3f80_4000);
        assertThat(run32(moves + "    cvt.rn.relu.f16x2.f32 %r0, %f1, %f2;", bits(-1), bits(2))).containsExactly(0x0000_4000);
    }

    @Test
    void doublesAndFloatsConvertAndSaturate() {
        assertThat(floats(run32("""
                mov.b32 %f1, %r1;
                cvt.f64.f32 %fd1, %f1;
                add.f64 %fd1, %fd1, 0d3E00000000000000;
                cvt.rp.f32.f64 %f0, %fd1;
                mov.b32 %r0, %f0;
            """, bits(1)))).containsExactly(Math.nextUp(1f));
        assertThat(floats(run32("    mov.b32 %f1, %r1;\n    cvt.sat.f32.f32 %f0, %f1;\n    mov.b32 %r0, %f0;", bits(-3, 0.5f, 7, Float.NaN))))
                .containsExactly(0, 0.5f, 1, 0);
        assertThat(floats(run32("    mov.b32 %f1, %r1;\n    cvt.ftz.f32.f32 %f0, %f1;\n    mov.b32 %r0, %f0;", bits(1e-40f, 2)))).containsExactly(0, 2);
    }
}
