package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.bits;
import static kiln.kernels.emulator.Snippet.ints;
import static kiln.kernels.emulator.Snippet.run32;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PredicateInstructionsTest {
    private static final float NAN = Float.NaN;

    /** Results for the pairs (1,2), (2,1), (1,1), (-1,1) as digits. */
    @ParameterizedTest
    @CsvSource({"eq.s32, 0010", "ne.s32, 1101", "lt.s32, 1001", "le.s32, 1011", "gt.s32, 0100", "ge.s32, 0110",
        "lt.u32, 1000", "gt.u32, 0101", "lo.u32, 1000", "ls.u32, 1010", "hi.u32, 0101", "hs.u32, 0111", "eq.b32, 0010"})
    void integersCompare(String comparison, String expected) {
        assertThat(digits(run32("    setp." + comparison + " %p1, %r1, %r2;\n    selp.b32 %r0, 1, 0, %p1;", ints(1, 2, 1, -1), ints(2, 1, 1, 1))))
                .isEqualTo(expected);
    }

    /** Results for the pairs (1,2), (2,1), (1,1), (NaN,1) as digits. */
    @ParameterizedTest
    @CsvSource({"eq, 0010", "ne, 1100", "lt, 1000", "le, 1010", "gt, 0100", "ge, 0110", "equ, 0011", "neu, 1101", "ltu, 1001", "leu, 1011", "gtu, 0101",
        "geu, 0111", "num, 1110", "nan, 0001"})
    void floatsCompareWithNaNInMind(String comparison, String expected) {
        assertThat(digits(run32("    mov.b32 %f1, %r1;\n    mov.b32 %f2, %r2;\n    setp." + comparison + ".f32 %p1, %f1, %f2;\n    selp.b32 %r0, 1, 0, %p1;",
                bits(1, 2, 1, NAN), bits(2, 1, 1, 1)))).isEqualTo(expected);
        assertThat(digits(run32("    mov.b32 %f1, %r1;\n    mov.b32 %f2, %r2;\n    cvt.rn.f16.f32 %h1, %f1;\n    cvt.rn.f16.f32 %h2, %f2;\n    setp." + comparison
                + ".f16 %p1, %h1, %h2;\n    selp.b32 %r0, 1, 0, %p1;", bits(1, 2, 1, NAN), bits(2, 1, 1, 1)))).isEqualTo(expected);
    }

    @Test
    void comparisonsCombineAndComeInPairs() {
        int[] result = run32("""
                setp.gt.u32 %p3, %r1, 1;
                setp.lt.and.u32 %p1|%p2, %r1, 4, %p3;
                setp.eq.or.s32 %p4, %r1, 0, !%p3;
                selp.b32 %r0, 1, 0, %p1;
                selp.b32 %r2, 10, 0, %p2;
                selp.b32 %r3, 100, 0, %p4;
                add.u32 %r0, %r0, %r2;
                add.u32 %r0, %r0, %r3;
            """, ints(0, 1, 2, 3, 4, 5));
        assertThat(result).containsExactly(100, 100, 1, 1, 10, 10);
    }

    @Test
    void predicatesHaveLogic() {
        int[] result = run32("""
                setp.gt.u32 %p1, %r1, 1;
                setp.lt.u32 %p2, %r1, 4;
                and.pred %p3, %p1, %p2;
                xor.pred %p4, %p1, %p2;
                not.pred %p5, %p3;
                mov.pred %p6, %p5;
                or.pred %p6, %p6, %p3;
                mov.u32 %r0, 0;
                @%p3 add.u32 %r0, %r0, 1;
                @%p4 add.u32 %r0, %r0, 10;
                @!%p5 add.u32 %r0, %r0, 100;
                @%p6 add.u32 %r0, %r0, 1000;
            """, ints(0, 2, 5));
        assertThat(result).containsExactly(1010, 1101, 1010);
    }

    @Test
    void selectionsBySignAndBySet() {
        assertThat(run32("    slct.b32.s32 %r0, 5, 6, %r1;", ints(-1, 0, 1))).containsExactly(6, 5, 5);
        assertThat(run32("    set.lt.u32.u32 %r0, %r1, 5;", ints(4, 5))).containsExactly(-1, 0);
        assertThat(run32("    set.lt.f32.u32 %f0, %r1, 5;\n    mov.b32 %r0, %f0;", ints(4, 5))).isEqualTo(bits(1, 0));
        assertThat(run32("    mov.b32 %f1, %r1;\n    testp.finite.f32 %p1, %f1;\n    selp.b32 %r0, 1, 0, %p1;", bits(1, NAN, Float.POSITIVE_INFINITY)))
                .containsExactly(1, 0, 0);
    }

    @Test
    void pairsOfHalvesCompareEach() {
        assertThat(run32("""
                setp.lt.f16x2 %p1|%p2, %r1, %r2;
                selp.b32 %r0, 1, 0, %p1;
                selp.b32 %r3, 2, 0, %p2;
                or.b32 %r0, %r0, %r3;
            """, ints(0x3c00_4000, 0x3c00_3c00), ints(0x4000_3c00, 0x3c00_4000))).containsExactly(2, 1);
    }

    private static String digits(int[] result) {
        StringBuilder digits = new StringBuilder();
        for (int value : result) {
            digits.append(value);
        }
        return digits.toString();
    }
}
