package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.ints;
import static kiln.kernels.emulator.Snippet.lanes;
import static kiln.kernels.emulator.Snippet.run32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class MemoryInstructionsTest {
    private final DeviceMemory memory = new DeviceMemory(1 << 20);
    private final PtxEmulator emulator = new PtxEmulator(memory);

    @Test
    void everyWidthIsExtendedAsItsTypeSays() {
        PtxModule module = Snippet.module("""
            .visible .entry widths(.param .u64 in, .param .u64 out)
            {
                .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .b16 %h<8>;
                ld.param.u64 %rd1, [in];
                ld.param.u64 %rd2, [out];
                ld.global.u8 %r1, [%rd1];
                ld.global.s8 %r2, [%rd1];
                ld.global.u16 %r3, [%rd1];
                ld.global.s16 %r4, [%rd1];
                ld.global.b32 %r5, [%rd1+4];
                ld.global.s8 %h1, [%rd1];
                cvt.u32.u16 %r6, %h1;
                ld.global.s32 %rd3, [%rd1];
                shr.u64 %rd3, %rd3, 32;
                cvt.u32.u64 %r7, %rd3;
                st.global.v4.b32 [%rd2], {%r1, %r2, %r3, %r4};
                st.global.v2.b32 [%rd2+16], {%r5, %r6};
                st.global.b32 [%rd2+24], %r7;
                st.global.b8 [%rd2+28], %r5;
                st.global.b16 [%rd2+30], %r5;
                st.global.b8 [%rd2+29], 9;
            }
            """);
        long in = memory.allocate(8);
        long out = memory.allocate(32);
        memory.write(in, ints(0x8181_8181, 0x1234_5678));
        emulator.launch(module, "widths", Dim3.of(1), Dim3.of(1), 0, in, out);
        assertThat(memory.readInts(out, 8)).containsExactly(0x81, 0xffff_ff81, 0x8181, 0xffff_8181, 0x1234_5678, 0xff81, -1, 0x5678_0978);
    }

    @Test
    void vectorsNeedTheAlignmentOfTheWhole() {
        PtxModule module = Snippet.module("""
            .visible .entry vector(.param .u64 in)
            {
                .reg .f32 %f<4>; .reg .b64 %rd<2>;
                ld.param.u64 %rd1, [in];
                ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%rd1+8];
            }
            """);
        long in = memory.allocate(64);
        memory.fill(in, 64, (byte) 0);
        assertThatThrownBy(() -> emulator.launch(module, "vector", Dim3.of(1), Dim3.of(1), 0, in))
                .isInstanceOf(KernelFault.class).hasMessageContaining("line 8").hasMessageContaining("read of 16 bytes").hasMessageContaining("not aligned");
        emulator.launch(module, "vector", Dim3.of(1), Dim3.of(1), 0, in + 8);
    }

    @Test
    void valuesArePackedAndUnpacked() {
        assertThat(run32("""
                mov.b64 %rd1, {%r1, %r2};
                mov.b64 {%r3, %r4}, %rd1;
                mov.b32 {%h1, %h2}, %r3;
                mov.b64 %rd2, {%h2, %h1, %h1, %h2};
                mov.b64 {_, %r5}, %rd2;
                xor.b32 %r0, %r5, %r4;
            """, ints(0x1111_2222), ints(0x0f0f_0000))).containsExactly(0x1111_2222 ^ 0x0f0f_0000);
        assertThat(run32("    mov.b32 {%h1, %h2}, %r1;\n    mov.b32 %r1, {%h2, %h1};\n    mov.u32 %r0, %r1;", ints(0x1234_5678))).containsExactly(0x5678_1234);
    }

    @Test
    void eachThreadHasItsOwnLocalMemory() {
        assertThat(run32("""
                .local .align 8 .b8 stack[64];
                mov.u64 %rd1, stack;
                st.local.u32 [%rd1+4], %r1;
                st.local.u32 [stack+8], 7;
                cvta.local.u64 %rd2, %rd1;
                ld.u32 %r2, [%rd2+4];
                ld.local.u32 %r3, [stack+8];
                add.u32 %r0, %r2, %r3;
            """, lanes(64))).isEqualTo(Arrays.stream(lanes(64)).map(i -> i + 7).toArray());
    }

    @Test
    void genericAddressesReachEverySpace() {
        assertThat(run32("""
                .shared .align 4 .b32 words[32];
                mov.u64 %rd1, words;
                cvta.shared.u64 %rd1, %rd1;
                mul.wide.u32 %rd2, %r30, 4;
                add.u64 %rd1, %rd1, %rd2;
                st.u32 [%rd1], %r1;
                cvta.to.shared.u64 %rd3, %rd1;
                ld.shared.u32 %r2, [%rd3];
                st.u32 [%rd31], %r2;
                cvta.to.global.u64 %rd4, %rd31;
                ld.global.u32 %r0, [%rd4];
            """, lanes(32))).isEqualTo(lanes(32));
    }

    @Test
    void atomicsGiveTheOldValue() {
        PtxModule module = Snippet.module("""
            .visible .entry atomics(.param .u64 out)
            {
                .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .f32 %f<4>; .reg .pred %p;
                mov.u32 %r1, %tid.x;
                ld.param.u64 %rd1, [out];
                atom.global.add.u32 %r2, [%rd1], 1;
                setp.ne.u32 %p, %r2, %r1;
                @%p trap;
                red.global.max.s32 [%rd1+4], %r1;
                red.global.add.f32 [%rd1+8], 0f3F000000;
                atom.global.cas.b32 %r3, [%rd1+12], %r1, 77;
                red.global.add.u64 [%rd1+16], 3;
                atom.global.exch.b32 %r4, [%rd1+24], %r1;
                mov.b32 %r5, 0x3c004000;
                red.global.add.noftz.f16x2 [%rd1+28], %r5;
                red.global.or.b32 [%rd1+32], %r1;
                atom.global.inc.u32 %r6, [%rd1+36], 9;
                red.global.min.u32 [%rd1+40], %r1;
            }
            """);
        long out = memory.allocate(44);
        memory.write(out, ints(0, -5, 0, 4, 0, 0, 0, 0, 0, 0, 12));
        emulator.launch(module, "atomics", Dim3.of(1), Dim3.of(32), 0, out);
        assertThat(memory.readInts(out, 11)).containsExactly(32, 31, Float.floatToRawIntBits(16), 77, 96, 0, 31,
                Half.fromFloat(32) << 16 | Half.fromFloat(64), 31, 2, 0);
    }

    @Test
    void parametersOutOfTheirBlockAreReported() {
        PtxModule module = Snippet.module("""
            .visible .entry parameters(.param .u32 only)
            {
                .reg .b32 %r<2>;
                ld.param.u32 %r1, [only+4];
            }
            """);
        assertThatThrownBy(() -> emulator.launch(module, "parameters", Dim3.of(1), Dim3.of(1), 0, 1))
                .isInstanceOf(KernelFault.class).hasMessageContaining("outside the 4 bytes of the parameters");
    }

    @Test
    void blocksRunOnSeveralJavaThreads() {
        PtxModule module = Snippet.module("""
            .visible .entry sum(.param .u64 out)
            {
                .reg .b32 %r<4>; .reg .b64 %rd<2>;
                mov.u32 %r1, %ctaid.x;
                ld.param.u64 %rd1, [out];
                red.global.add.u32 [%rd1], %r1;
            }
            """);
        long out = memory.allocate(4);
        memory.write(out, ints(0));
        new PtxEmulator(memory, EmulatorChecks.ALL, 4).launch(module, "sum", Dim3.of(100), Dim3.of(64), 0, out);
        assertThat(memory.readInts(out, 1)).containsExactly(64 * 4950);
    }
}
