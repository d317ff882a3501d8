package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DivergenceTest {
    private static final int[] LANES = Snippet.lanes(32);

    @Test
    void bothSidesOfABranchRunAndMeet() {
        int[] result = Snippet.run32("""
                setp.lt.u32 %p1, %r1, 10;
                @%p1 bra SMALL;
                mul.lo.u32 %r2, %r1, 3;
                bra JOIN;
            SMALL:
                add.u32 %r2, %r1, 100;
            JOIN:
                activemask.b32 %r3;
                setp.eq.u32 %p2, %r3, 0xffffffff;
                selp.b32 %r0, %r2, -1, %p2;
            """, LANES);
        assertThat(result).isEqualTo(Arrays.stream(LANES).map(i -> i < 10 ? i + 100 : 3 * i).toArray());
    }

    @Test
    void threadsLeaveALoopEachAfterTheirOwnRounds() {
        int[] result = Snippet.run32("""
                mov.u32 %r0, 0;
                mov.u32 %r2, 0;
            LOOP:
                setp.ge.u32 %p1, %r2, %r1;
                @%p1 bra DONE;
                add.u32 %r0, %r0, %r2;
                add.u32 %r2, %r2, 1;
                bra.uni LOOP;
            DONE:
                activemask.b32 %r3;
                setp.ne.u32 %p2, %r3, 0xffffffff;
                @%p2 mov.u32 %r0, 99999;
            """, LANES);
        assertThat(result).isEqualTo(Arrays.stream(LANES).map(i -> i * (i - 1) / 2).toArray());
    }

    @Test
    void branchesNestInLoops() {
        // Collatz steps: a loop with different counts and a branch in it.
        int[] result = Snippet.run32("""
                mov.u32 %r0, 0;
                add.u32 %r2, %r1, 1;
            $LOOP:
                setp.eq.u32 %p1, %r2, 1;
                @%p1 bra $DONE;
                and.b32 %r3, %r2, 1;
                setp.ne.u32 %p2, %r3, 0;
                @!%p2 bra $EVEN;
                mad.lo.u32 %r2, %r2, 3, 1;
                bra $NEXT;
            $EVEN:
                shr.u32 %r2, %r2, 1;
            $NEXT:
                add.u32 %r0, %r0, 1;
                bra $LOOP;
            $DONE:
            """, LANES);
        assertThat(result).isEqualTo(Arrays.stream(LANES).map(i -> {
            int steps = 0;
            for (int n = i + 1; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) {
                steps++;
            }
            return steps;
        }).toArray());
    }

    @Test
    void threadsMayEndEarly() {
        DeviceMemory memory = new DeviceMemory(1 << 20);
        long out = memory.allocate(4 * 48);
        memory.write(out, new int[48]);
        PtxModule module = Snippet.module("""
            .visible .entry some(.param .u64 out) {
                .reg .u32 %r<4>; .reg .u64 %rd<3>; .reg .pred %p;
                mov.u32 %r1, %tid.x;
                rem.u32 %r2, %r1, 3;
                setp.eq.u32 %p, %r2, 1;
                @%p exit;
                ld.param.u64 %rd1, [out];
                mad.wide.u32 %rd1, %r1, 4, %rd1;
                st.global.u32 [%rd1], %r1;
            }
            """);
        new PtxEmulator(memory).launch(module, "some", Dim3.of(1), Dim3.of(48), 0, out);
        int[] result = memory.readInts(out, 48);
        for (int i = 0; i < 48; i++) {
            assertThat(result[i]).isEqualTo(i % 3 == 1 ? 0 : i);
        }
    }

    @Test
    void registersThatAThreadDidNotWriteAreReported() {
        assertThatThrownBy(() -> Snippet.run32("""
                setp.lt.u32 %p1, %r1, 16;
                @%p1 mov.u32 %r2, 5;
                add.u32 %r0, %r2, 1;
            """, LANES)).isInstanceOf(KernelFault.class).hasMessageContaining("thread (16,0,0)").hasMessageContaining("register %r2 is read");
        assertThatThrownBy(() -> Snippet.run32("    @%p1 bra AWAY;\nAWAY:\n    mov.u32 %r0, 0;", LANES))
                .isInstanceOf(KernelFault.class).hasMessageContaining("the guard is read");
        // What a selection leaves aside may be anything.
        int[] result = Snippet.run32("""
                setp.lt.u32 %p1, %r1, 16;
                @%p1 mov.u32 %r2, 5;
                selp.b32 %r0, %r2, 7, %p1;
            """, LANES);
        assertThat(result).isEqualTo(Arrays.stream(LANES).map(i -> i < 16 ? 5 : 7).toArray());
    }

    @Test
    void loopsWithoutEndAreStopped() {
        PtxModule module = Snippet.module("""
            .visible .entry forever() {
            AGAIN:
                bra AGAIN;
            }
            """);
        PtxEmulator emulator = new PtxEmulator(new DeviceMemory(1024), EmulatorChecks.ALL.withMaximumSteps(1000), 1);
        assertThatThrownBy(() -> emulator.launch(module, "forever", Dim3.of(1), Dim3.of(32), 0))
                .isInstanceOf(KernelFault.class).hasMessageContaining("kernel forever, line 6").hasMessageContaining("after 1000 instructions");
    }
}
