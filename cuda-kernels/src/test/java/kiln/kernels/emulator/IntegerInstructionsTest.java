package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.ints;
import static kiln.kernels.emulator.Snippet.longs;
import static kiln.kernels.emulator.Snippet.run32;
import static kiln.kernels.emulator.Snippet.run64;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IntegerInstructionsTest {
    private static int[] binary(String opcode, int[] a, int[] b) {
        return run32("    " + opcode + " %r0, %r1, %r2;", a, b);
    }

    @Test
    void sumsProductsAndQuotients() {
        int[] a = ints(7, -7, Integer.MAX_VALUE, -1, 100);
        int[] b = ints(3, 3, 1, 2, 0);
        assertThat(binary("add.s32", a, b)).containsExactly(10, -4, Integer.MIN_VALUE, 1, 100);
        assertThat(binary("sub.u32", a, b)).containsExactly(4, -10, Integer.MAX_VALUE - 1, -3, 100);
        assertThat(binary("mul.lo.s32", a, b)).containsExactly(21, -21, Integer.MAX_VALUE, -2, 0);
        assertThat(binary("mul.hi.s32", a, b)).containsExactly(0, -1, 0, -1, 0);
        assertThat(binary("mul.hi.u32", a, b)).containsExactly(0, 2, 0, 1, 0);
        assertThat(binary("div.s32", a, b)).containsExactly(2, -2, Integer.MAX_VALUE, 0, -1);
        assertThat(binary("div.u32", a, b)).containsExactly(2, 0x55555553, Integer.MAX_VALUE, Integer.MAX_VALUE, -1);
        assertThat(binary("rem.s32", ints(7, -7), ints(3, 3))).containsExactly(1, -1);
        assertThat(binary("rem.u32", ints(7, -1), ints(4, 10))).containsExactly(3, 5);
        assertThat(binary("min.s32", a, b)).containsExactly(3, -7, 1, -1, 0);
        assertThat(binary("min.u32", a, b)).containsExactly(3, 3, 1, 2, 0);
        assertThat(binary("max.u32", a, b)).containsExactly(7, -7, Integer.MAX_VALUE, -1, 100);
        assertThat(run32("    mad.lo.s32 %r0, %r1, %r2, %r3;", a, b, ints(1, 2, 3, 4, 5))).containsExactly(22, -19, Integer.MIN_VALUE + 2, 2, 5);
        assertThat(run32("    mad.hi.u32 %r0, %r1, %r2, 5;", a, b)).containsExactly(5, 7, 5, 6, 5);
        assertThat(run32("    sad.s32 %r0, %r1, %r2, 1;", a, b)).containsExactly(5, 11, Integer.MAX_VALUE, 4, 101);
    }

    @Test
    void sixteenBits() {
        assertThat(run32("""
                mov.b32 {%h1, %h2}, %r1;
                add.u16 %h3, %h1, %h2;
                mul.lo.s16 %h4, %h1, %h2;
                mov.b32 %r0, {%h3, %h4};
            """, ints(0xffff_0003, 0x8000_8000))).containsExactly(0xfffd_0002, 0);
        assertThat(run32("""
                mov.b32 {%h1, %h2}, %r1;
                mul.wide.s16 %r0, %h1, %h2;
            """, ints(0xffff_0003))).containsExactly(-3);
        assertThat(run32("""
                mov.b32 {%h1, %h2}, %r1;
                shr.s16 %h3, %h1, 1;
                max.s16 %h4, %h1, %h2;
                mov.b32 %r0, {%h3, %h4};
            """, ints(0x0001_8000))).containsExactly(0x0001_c000);
    }

    @Test
    void wideProducts() {
        assertThat(run64("""
                cvt.u32.u64 %r1, %rd1;
                mul.wide.u32 %rd2, %r1, %r1;
                mul.wide.s32 %rd3, %r1, 3;
                mad.wide.s32 %rd0, %r1, 2, %rd2;
                add.s64 %rd0, %rd0, %rd3;
            """, longs(-1))).containsExactly(0xffff_ffffL * 0xffff_ffffL - 2 - 3);
    }

    @Test
    void sixtyFourBits() {
        long[] a = longs(-5, 1L << 40, Long.MIN_VALUE);
        assertThat(run64("    add.u64 %rd0, %rd1, 7;", a)).containsExactly(2, (1L << 40) + 7, Long.MIN_VALUE + 7);
        assertThat(run64("    mul.lo.u64 %rd0, %rd1, %rd1;", a)).containsExactly(25, 0, 0);
        assertThat(run64("    mul.hi.u64 %rd0, %rd1, %rd1;", a)).containsExactly(-10, 1L << 16, 1L << 62);
        assertThat(run64("    mul.hi.s64 %rd0, %rd1, %rd1;", a)).containsExactly(0, 1L << 16, 1L << 62);
        assertThat(run64("    div.s64 %rd0, %rd1, 2;", a)).containsExactly(-2, 1L << 39, Long.MIN_VALUE / 2);
        assertThat(run64("    rem.u64 %rd0, %rd1, 10;", a)).containsExactly(Long.remainderUnsigned(-5, 10), (1L << 40) % 10, 8);
        assertThat(run64("    shr.s64 %rd0, %rd1, 1;", a)).containsExactly(-3, 1L << 39, -(1L << 62));
        assertThat(run64("    shr.u64 %rd0, %rd1, 63;", a)).containsExactly(1, 0, 1);
        assertThat(run64("    shl.b64 %rd0, %rd1, 64;", a)).containsExactly(0, 0, 0);
        assertThat(run64("    min.u64 %rd0, %rd1, 9;", a)).containsExactly(9, 9, 9);
        assertThat(run64("    neg.s64 %rd0, %rd1;", a)).containsExactly(5, -(1L << 40), Long.MIN_VALUE);
    }

    @Test
    void shiftsBeyondTheWidth() {
        assertThat(binary("shl.b32", ints(1, 1, 1, -1), ints(4, 31, 32, 200))).containsExactly(16, Integer.MIN_VALUE, 0, 0);
        assertThat(binary("shr.u32", ints(-16, -16, -16), ints(2, 32, -1))).containsExactly(0x3ffffffc, 0, 0);
        assertThat(binary("shr.s32", ints(-16, -16, 16), ints(2, 99, 40))).containsExactly(-4, -1, 0);
    }

    @Test
    void bits() {
        int[] a = ints(0x0000_00f0, 0xffff_0000, 0);
        assertThat(run32("    popc.b32 %r0, %r1;", a)).containsExactly(4, 16, 0);
        assertThat(run32("    clz.b32 %r0, %r1;", a)).containsExactly(24, 0, 32);
        assertThat(run32("    brev.b32 %r0, %r1;", a)).containsExactly(0x0f00_0000, 0x0000_ffff, 0);
        assertThat(run32("    bfind.u32 %r0, %r1;", a)).containsExactly(7, 31, -1);
        assertThat(run32("    bfind.s32 %r0, %r1;", a)).containsExactly(7, 15, -1);
        assertThat(run32("    not.b32 %r0, %r1;", a)).containsExactly(0xffff_ff0f, 0x0000_ffff, -1);
        assertThat(run32("    cnot.b32 %r0, %r1;", a)).containsExactly(0, 0, 1);
        assertThat(run32("    abs.s32 %r0, %r1;", ints(-5, 5))).containsExactly(5, 5);
        assertThat(run32("    lop3.b32 %r0, %r1, %r2, %r3, 0xE8;", ints(0b1100), ints(0b1010), ints(0b0110))).containsExactly(0b1110);
        assertThat(run32("    lop3.b32 %r0, %r1, %r2, %r3, 0x96;", ints(0b1100), ints(0b1010), ints(0b0110))).containsExactly(0);
    }

    @Test
    void bitFields() {
        assertThat(run32("    bfe.u32 %r0, %r1, 4, 8;", ints(0xabcd_1234, -1))).containsExactly(0x23, 0xff);
        assertThat(run32("    bfe.s32 %r0, %r1, 4, 8;", ints(0x0000_0f80, 0x0000_07f0))).containsExactly(-8, 0x7f);
        assertThat(run32("    bfe.s32 %r0, %r1, 28, 20;", ints(0x9000_0000, 0x1000_0000))).containsExactly(-7, 1);
        assertThat(run32("    bfi.b32 %r0, %r1, %r2, 8, 4;", ints(0xff), ints(0x1111_1111))).containsExactly(0x1111_1f11);
        assertThat(run32("    bfi.b32 %r0, %r1, %r2, 0, 32;", ints(7), ints(0x1111_1111))).containsExactly(7);
    }

    @Test
    void permutationsOfBytes() {
        int[] a = ints(0x8070_6050);
        int[] b = ints(0x4030_2010);
        assertThat(run32("    prmt.b32 %r0, %r1, %r2, 0x7610;", a, b)).containsExactly(0x4030_6050);
        assertThat(run32("    prmt.b32 %r0, %r1, %r2, 0x5410;", a, b)).containsExactly(0x2010_6050);
        assertThat(run32("    prmt.b32 %r0, %r1, %r2, 0x0b03;", a, b)).containsExactly(0x50ff_5080);
        assertThat(run32("    prmt.b32.f4e %r0, %r1, %r2, 2;", a, b)).containsExactly(0x2010_8070);
        assertThat(run32("    prmt.b32.rc16 %r0, %r1, %r2, 1;", a, b)).containsExactly(0x8070_8070);
        assertThat(run32("    shf.l.wrap.b32 %r0, %r1, %r2, 8;", a, b)).containsExactly(0x3020_1080);
        assertThat(run32("    shf.r.clamp.b32 %r0, %r1, %r2, 40;", a, b)).containsExactly(0x4030_2010);
    }

    @Test
    void dotProductsOfBytes() {
        assertThat(run32("    dp4a.s32.s32 %r0, %r1, %r2, 10;", ints(0x01ff_0280), ints(0x0301_ff02))).containsExactly(10 + 3 - 1 - 2 - 256);
        assertThat(run32("    dp4a.u32.u32 %r0, %r1, %r2, 0;", ints(0xff), ints(0xff))).containsExactly(255 * 255);
    }
}
