package kiln.kernels.emulator;

import static kiln.kernels.emulator.Snippet.lanes;
import static kiln.kernels.emulator.Snippet.run32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class WarpInstructionsTest {
    private static final int[] LANES = lanes(32);

    private static int[] shuffle(String instruction) {
        return run32("    shfl.sync." + instruction + ", 0xffffffff;\n    @!%p1 add.u32 %r0, %r0, 1000;", LANES);
    }

    @Test
    void shufflesOfTheWholeWarp() {
        assertThat(shuffle("bfly.b32 %r0|%p1, %r1, 5, 31")).isEqualTo(Arrays.stream(LANES).map(i -> i ^ 5).toArray());
        assertThat(shuffle("down.b32 %r0|%p1, %r1, 4, 31")).isEqualTo(Arrays.stream(LANES).map(i -> i + 4 < 32 ? i + 4 : i + 1000).toArray());
        assertThat(shuffle("up.b32 %r0|%p1, %r1, 3, 0")).isEqualTo(Arrays.stream(LANES).map(i -> i >= 3 ? i - 3 : i + 1000).toArray());
        assertThat(shuffle("idx.b32 %r0|%p1, %r1, 7, 31")).containsOnly(7);
    }

    @Test
    void shufflesOfSegments() {
        // Segments of 8: the mask of the segment is 24, which stands in bits 8..12 of c.
        assertThat(shuffle("down.b32 %r0|%p1, %r1, 2, 0x181f")).isEqualTo(Arrays.stream(LANES).map(i -> i % 8 + 2 < 8 ? i + 2 : i + 1000).toArray());
        assertThat(shuffle("idx.b32 %r0|%p1, %r1, 3, 0x181f")).isEqualTo(Arrays.stream(LANES).map(i -> i / 8 * 8 + 3).toArray());
        assertThat(shuffle("up.b32 %r0|%p1, %r1, 1, 0x1800")).isEqualTo(Arrays.stream(LANES).map(i -> i % 8 >= 1 ? i - 1 : i + 1000).toArray());
    }

    @Test
    void aSumByShuffles() {
        StringBuilder body = new StringBuilder("    cvt.rn.f32.u32 %f1, %r1;\n");
        for (int offset = 16; offset > 0; offset /= 2) {
            body.append("    mov.b32 %r2, %f1;\n    shfl.sync.bfly.b32 %r3, %r2, ").append(offset).append(", 31, -1;\n")
                    .append("    mov.b32 %f2, %r3;\n    add.f32 %f1, %f1, %f2;\n");
        }
        assertThat(run32(body + "    cvt.rni.s32.f32 %r0, %f1;", LANES)).containsOnly(496);
    }

    @Test
    void votesAndReductions() {
        assertThat(run32("    setp.lt.u32 %p1, %r1, 5;\n    vote.sync.ballot.b32 %r0, %p1, -1;", LANES)).containsOnly(31);
        assertThat(run32("    setp.lt.u32 %p1, %r1, 5;\n    vote.sync.any.pred %p2, %p1, -1;\n    selp.b32 %r0, 1, 0, %p2;", LANES)).containsOnly(1);
        assertThat(run32("    setp.lt.u32 %p1, %r1, 5;\n    vote.sync.all.pred %p2, !%p1, -1;\n    selp.b32 %r0, 1, 0, %p2;", LANES)).containsOnly(0);
        assertThat(run32("    redux.sync.add.s32 %r0, %r1, -1;", LANES)).containsOnly(496);
        assertThat(run32("    redux.sync.max.u32 %r0, %r1, -1;", LANES)).containsOnly(31);
        assertThat(run32("    redux.sync.min.s32 %r0, %r1, -1;", Arrays.stream(LANES).map(i -> i - 9).toArray())).containsOnly(-9);
    }

    @Test
    void threadsThatTheMaskNamesMustBeThere() {
        assertThatThrownBy(() -> run32("""
                setp.lt.u32 %p1, %r1, 16;
                @!%p1 bra DONE;
                shfl.sync.bfly.b32 %r0, %r1, 1, 31, 0xffffffff;
            DONE:
            """, LANES)).isInstanceOf(KernelFault.class).hasMessageContaining("shfl.sync.bfly.b32").hasMessageContaining("names thread (16,0,0), which is not here");
        assertThatThrownBy(() -> run32("    shfl.sync.bfly.b32 %r0, %r1, 1, 31, 0xff;", LANES))
                .isInstanceOf(KernelFault.class).hasMessageContaining("thread (8,0,0)").hasMessageContaining("not in the member mask 0xff");
        assertThatThrownBy(() -> run32("    shfl.sync.bfly.b32 %r0, %r1, 16, 31, 0xffffffff;", lanes(20)))
                .isInstanceOf(KernelFault.class).hasMessageContaining("thread (4,0,0)").hasMessageContaining("lane 20, which does not take part");
    }

    @Test
    void specialRegistersTellWhereAThreadIs() {
        DeviceMemory memory = new DeviceMemory(1 << 20);
        int threads = 6 * 5 * 2;
        long out = memory.allocate(4L * threads * 6);
        PtxModule module = Snippet.module("""
            .visible .entry where(.param .u64 out)
            {
                .reg .b32 %r<32>; .reg .b64 %rd<4>;
                mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z;
                mov.u32 %r4, %ctaid.x; mov.u32 %r5, %ctaid.y; mov.u32 %r6, %nctaid.x;
                mov.u32 %r7, %ntid.x; mov.u32 %r8, %ntid.y; mov.u32 %r9, %ntid.z;
                mad.lo.u32 %r10, %r3, %r8, %r2;
                mad.lo.u32 %r10, %r10, %r7, %r1;        // thread in block
                mad.lo.u32 %r11, %r5, %r6, %r4;         // block in grid
                mul.lo.u32 %r12, %r7, %r8;
                mul.lo.u32 %r12, %r12, %r9;
                mad.lo.u32 %r13, %r11, %r12, %r10;
                ld.param.u64 %rd1, [out];
                mad.wide.u32 %rd1, %r13, 4, %rd1;
                mov.u32 %r14, %laneid; mov.u32 %r15, %warpid;
                mad.lo.u32 %r14, %r15, 32, %r14;
                shl.b32 %r11, %r11, 16;
                or.b32 %r14, %r14, %r11;
                mov.u32 %r16, %clock;
                mov.u64 %rd2, %clock64;
                mov.u32 %r17, %lanemask_lt;
                popc.b32 %r17, %r17;
                mov.u32 %r18, %laneid;
                sub.u32 %r17, %r17, %r18;
                add.u32 %r14, %r14, %r17;
                st.global.u32 [%rd1], %r14;
            }
            """);
        new PtxEmulator(memory).launch(module, "where", Dim3.of(3, 2), new Dim3(6, 5, 2), 0, out);
        int[] result = memory.readInts(out, threads * 6);
        for (int i = 0; i < result.length; i++) {
            assertThat(result[i]).isEqualTo(i / threads << 16 | i % threads);
        }
    }
}
