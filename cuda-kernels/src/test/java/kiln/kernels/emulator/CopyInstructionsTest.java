package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class CopyInstructionsTest {
    private final DeviceMemory memory = new DeviceMemory(1 << 20);

    /** Each thread writes -1 to its 16 bytes, copies 16 bytes there, and reads the last word back. */
    private static PtxModule copy(String copyOperands, String afterwards) {
        return Snippet.module("""
            .visible .entry copy(.param .u64 in, .param .u64 out)
            {
                .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .pred %p<2>;
                .shared .align 16 .b8 tile[1024];
                mov.u32 %r1, %tid.x;
                ld.param.u64 %rd1, [in];
                ld.param.u64 %rd2, [out];
                mad.wide.u32 %rd1, %r1, 16, %rd1;
                mad.wide.u32 %rd2, %r1, 4, %rd2;
                mov.u32 %r2, tile;
                mad.lo.u32 %r2, %r1, 16, %r2;
                mov.u32 %r3, -1;
                st.shared.v4.u32 [%r2], {%r3, %r3, %r3, %r3};
                setp.lt.u32 %p1, %r1, 8;
                cp.async.cg.shared.global [%r2], [%rd1], COPY;
                AFTERWARDS
                ld.shared.u32 %r4, [%r2+12];
                st.global.u32 [%rd2], %r4;
            }
            """.replace("COPY", copyOperands).replace("AFTERWARDS", afterwards));
    }

    private int[] run(PtxModule module, EmulatorChecks checks) {
        long in = memory.allocate(16 * 32);
        long out = memory.allocate(4 * 32);
        memory.write(in, Snippet.lanes(4 * 32));
        new PtxEmulator(memory, checks, 1).launch(module, "copy", Dim3.of(1), Dim3.of(32), 0, in, out);
        return memory.readInts(out, 32);
    }

    @Test
    void copiesAreThereAfterAWait() {
        int[] waited = run(copy("16", "cp.async.commit_group; cp.async.wait_group 0;"), EmulatorChecks.ALL);
        assertThat(waited[0]).isEqualTo(3);
        assertThat(waited[31]).isEqualTo(127);
        assertThat(run(copy("16", "cp.async.wait_all;"), EmulatorChecks.ALL)).isEqualTo(waited);
    }

    @Test
    void withoutAWaitTheOldDataAreThere() {
        EmulatorChecks noRaces = EmulatorChecks.ALL.withSharedRaces(false);
        assertThat(run(copy("16", ""), noRaces)).containsOnly(-1);
        assertThat(run(copy("16", "cp.async.commit_group;"), noRaces)).containsOnly(-1);
        assertThat(run(copy("16", "cp.async.commit_group; cp.async.wait_group 1;"), noRaces)).containsOnly(-1);
        // A copy of no group is not waited for by wait_group.
        assertThat(run(copy("16", "cp.async.wait_group 0;"), noRaces)).containsOnly(-1);
    }

    @Test
    void aMissingWaitIsReported() {
        assertThatThrownBy(() -> run(copy("16", "cp.async.commit_group;"), EmulatorChecks.ALL))
                .isInstanceOf(KernelFault.class)
                .hasMessageContaining("kernel copy, line 20").hasMessageContaining("thread (0,0,0)")
                .hasMessageContaining("of what the cp.async at line 18 brings, before a wait for it");
    }

    @Test
    void whatTheSourceSizeLeavesOutIsZero() {
        String wait = "cp.async.commit_group; cp.async.wait_group 0;";
        assertThat(run(copy("16, 12", wait), EmulatorChecks.ALL)).containsOnly(0);
        assertThat(run(copy("16, 0", wait), EmulatorChecks.ALL)).containsOnly(0);
        int[] ignored = run(copy("16, %p1", wait), EmulatorChecks.ALL);
        assertThat(ignored[7]).isZero();
        assertThat(ignored[8]).isEqualTo(35);
    }

    @Test
    void groupsEndInTheirOrder() {
        PtxModule module = Snippet.module("""
            .visible .entry copy(.param .u64 in, .param .u64 out)
            {
                .reg .b32 %r<16>; .reg .b64 %rd<8>;
                .shared .align 16 .b8 tile[1024];
                mov.u32 %r1, %tid.x;
                ld.param.u64 %rd1, [in];
                ld.param.u64 %rd2, [out];
                mad.wide.u32 %rd1, %r1, 8, %rd1;
                mad.wide.u32 %rd2, %r1, 4, %rd2;
                mov.u32 %r2, tile;
                mad.lo.u32 %r2, %r1, 16, %r2;
                cp.async.ca.shared.global [%r2], [%rd1], 4;
                cp.async.commit_group;
                cp.async.ca.shared.global [%r2+4], [%rd1+4], 4;
                cp.async.commit_group;
                cp.async.wait_group 1;
                ld.shared.u32 %r4, [%r2];
                cp.async.wait_group 0;
                ld.shared.u32 %r5, [%r2+4];
                sub.u32 %r4, %r5, %r4;
                st.global.u32 [%rd2], %r4;
            }
            """);
        assertThat(run(module, EmulatorChecks.ALL)).containsOnly(1);
    }
}
