package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PtxParserTest {
    /** Line 7 of the text is the given one. */
    private static PtxModule withLine(String line) {
        return PtxModule.parse(Snippet.HEADER + """
            .visible .entry kernel(.param .u64 out, .param .f32 scale)
            {
                .reg .b32 %r<4>; .reg .b16 %h<4>; .reg .b64 %rd<4>; .reg .f32 %f<4>; .reg .pred %p<2>; .shared .b32 word;
            """ + line + "\n}\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "frobnicate.b32 %r0, %r1;           | unknown instruction frobnicate.b32",
        "add.q7.u32 %r0, %r1, %r2;          | unknown modifier .q7 of add.q7.u32",
        "add.u32 %r0, %r1, %r9;             | unknown name %r9",
        "add.u32 %r0, %r1, %rd1;            | register %rd1 is .b64, add.u32 wants 32 bits",
        "add.u32 %r0, %r1;                  | takes 3 operands, found 2",
        "@%r1 add.u32 %r0, %r1, %r2;        | register %r1 is .b32, add.u32 wants 1 bits (a predicate)",
        "setp.foo.u32 %p0, %r1, %r2;        | unknown modifier .foo",
        "cvt.f16.f32 %h0, %f1;              | needs a rounding modifier",
        "mul.u32 %r0, %r1, %r2;             | needs .lo, .hi or .wide",
        "mov.f32 %f0, 1;                    | integer 1 where mov.f32 wants a floating-point number",
        "bra NOWHERE;                       | no label NOWHERE",
        "ld.global.u32 %r0, [%r1];          | register %r1 has 32 bits, an address of this space has 64",
        "ld.global.u32 %r0, [word];         | word is in .shared, which ld.global.u32 does not access",
        "ld.global.v2.u32 %r0, [%rd1];      | moves 2 values, its operand has 1",
        "st.param.u64 [out], %rd1;          | this space cannot be written",
        "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {%r0}, {%r1}, {%r1}, {%r1}; | unknown instruction mma.sync.aligned.m8n8k4",
        "cp.async.cg.shared.global [%r0], [%rd1], 8; | copies 16 bytes, found 8",
        "add.u32 %r0, %r1, 0x1z;            | not a number: 0x1z",
        "add.u32 %r0, %r1, %r2              | ';' was expected, found '}'",
        "atom.global.add.b32 %r0, [%rd1], 1; | unknown instruction atom.global.add.b32",
    })
    void whatItDoesNotKnowIsNamedWithItsLine(String line, String message) {
        assertThatThrownBy(() -> withLine(line)).isInstanceOf(PtxException.class).hasMessageStartingWith("PTX line ").hasMessageContaining(message)
                .satisfies(e -> assertThat(((PtxException) e).line()).isBetween(7, 8));
    }

    @Test
    void parametersAreLaidOutByTheirAlignment() {
        PtxModule module = PtxModule.parse(Snippet.HEADER + """
            .visible .entry kernel(
                .param .u32 first,
                .param .u64 .ptr .global .align 16 second,
                .param .u8 third,
                .param .align 8 .b8 fourth[24],
                .param .f32 fifth
            ) .maxntid 64, 2, 1 .minnctapersm 2
            { ret; }
            """);
        assertThat(module.kernel("kernel").parameters()).containsExactly(
                new PtxKernel.Parameter("first", 0, 4), new PtxKernel.Parameter("second", 8, 8), new PtxKernel.Parameter("third", 16, 1),
                new PtxKernel.Parameter("fourth", 24, 24), new PtxKernel.Parameter("fifth", 48, 4));
        assertThat(module.kernel("kernel").parameterBytes()).isEqualTo(52);
        assertThat(module.kernel("kernel").maximumThreads()).isEqualTo(128);
        assertThat(module.target()).isEqualTo("sm_90");
    }

    @Test
    void nestedBlocksHaveTheirOwnNames() {
        int[] result = Snippet.run32("""
                /* a comment
                   over two lines */
                mov.u32 %r0, 1;
                {
                    .reg .b32 %r0; // hides the outer one
                    mov.u32 %r0, 5;
                    bra SKIP;
                    mov.u32 %r1, 0;
                SKIP:
                    add.u32 %r1, %r1, %r0;
                }
                { bra SKIP; SKIP: }
                .pragma "nounroll";
                add.u32 %r0, %r0, %r1;
            """, Snippet.ints(10));
        assertThat(result).containsExactly(16);
    }

    @Test
    void numbersComeInAllForms() {
        int[] result = Snippet.run32("""
                mov.u32 %r0, 0x10;
                add.u32 %r0, %r0, 010;
                add.u32 %r0, %r0, 0b101;
                add.u32 %r0, %r0, 3U;
                add.s32 %r0, %r0, -1;
                mov.f32 %f1, 0f40400000;
                mov.f32 %f2, 2.5;
                mul.f32 %f1, %f1, %f2;
                cvt.rni.s32.f32 %r2, %f1;
                add.u32 %r0, %r0, %r2;
            """, Snippet.ints(0));
        assertThat(result).containsExactly(16 + 8 + 5 + 3 - 1 + 8);
    }
}
