package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SharedMemoryTest {
    private final DeviceMemory memory = new DeviceMemory(1 << 24);
    private final PtxEmulator emulator = new PtxEmulator(memory);

    /** Thread i writes word i, and reads what thread threads-1-i wrote. */
    private static String reversal(String between) {
        return """
            .extern .shared .align 16 .b8 words[];
            .visible .entry reverse(.param .u64 out)
            {
                .reg .b32 %r<8>; .reg .b64 %rd<4>;
                mov.u32 %r1, %tid.x;
                mov.u32 %r2, %ntid.x;
                mov.u32 %r3, words;
                shl.b32 %r4, %r1, 2;
                add.u32 %r4, %r4, %r3;
                st.shared.u32 [%r4], %r1;
            """ + between + """

                sub.u32 %r5, %r2, %r1;
                sub.u32 %r5, %r5, 1;
                shl.b32 %r5, %r5, 2;
                add.u32 %r5, %r5, %r3;
                ld.shared.u32 %r6, [%r5];
                ld.param.u64 %rd1, [out];
                mad.wide.u32 %rd1, %r1, 4, %rd1;
                st.global.u32 [%rd1], %r6;
            }
            """;
    }

    @Test
    void aBarrierMakesWritesSeen() {
        long out = memory.allocate(4 * 100);
        emulator.launch(Snippet.module(reversal("bar.sync 0;")), "reverse", Dim3.of(1), Dim3.of(100), 400, out);
        int[] result = memory.readInts(out, 100);
        for (int i = 0; i < 100; i++) {
            assertThat(result[i]).isEqualTo(99 - i);
        }
    }

    @Test
    void readingAnotherWarpsWordWithoutABarrierIsARace() {
        long out = memory.allocate(4 * 64);
        PtxEmulator raceOnly = new PtxEmulator(memory, EmulatorChecks.ALL.withUninitialisedReads(false), 1);
        assertThatThrownBy(() -> raceOnly.launch(Snippet.module(reversal("")), "reverse", Dim3.of(1), Dim3.of(64), 256, out))
                .isInstanceOf(KernelFault.class)
                .hasMessageContaining("kernel reverse, line 13")
                .hasMessageContaining("st.shared.u32 [%r4], %r1")
                .hasMessageContaining("thread (32,0,0)")
                .hasMessageContaining("race in shared memory: write at offset 128, read by thread (31,0,0) at line 19");
    }

    @Test
    void twoWarpsWritingOneWordIsARace() {
        PtxModule module = Snippet.module("""
            .visible .entry both() {
                .reg .b32 %r<2>;
                .shared .u32 word;
                mov.u32 %r1, %tid.x;
                st.shared.u32 [word], %r1;
            }
            """);
        assertThatThrownBy(() -> emulator.launch(module, "both", Dim3.of(1), Dim3.of(64), 0))
                .isInstanceOf(KernelFault.class).hasMessageContaining("race in shared memory: write at offset 0, written by thread (31,0,0) at line 8");
        assertThatCode(() -> new PtxEmulator(memory, EmulatorChecks.NONE, 1).launch(module, "both", Dim3.of(1), Dim3.of(64), 0)).doesNotThrowAnyException();
    }

    @Test
    void threadsOfAWarpNeedABarrierToo() {
        long out = memory.allocate(4 * 32);
        assertThatThrownBy(() -> emulator.launch(Snippet.module(reversal("")), "reverse", Dim3.of(1), Dim3.of(32), 128, out))
                .isInstanceOf(KernelFault.class)
                .hasMessageContaining("line 19").hasMessageContaining("thread (0,0,0)")
                .hasMessageContaining("race in shared memory: read at offset 124, written by thread (31,0,0) at line 13 with no barrier (bar.warp.sync)");
        emulator.launch(Snippet.module(reversal("bar.warp.sync 0xffffffff;")), "reverse", Dim3.of(1), Dim3.of(32), 128, out);
        assertThat(memory.readInts(out, 2)).containsExactly(31, 30);
        PtxModule broadcast = Snippet.module("""
            .visible .entry broadcast() {
                .reg .b32 %r<4>; .reg .pred %p<2>;
                .shared .u32 word;
                mov.u32 %r1, %tid.x;
                setp.eq.u32 %p1, %r1, 0;
                @%p1 st.shared.u32 [word], %r1;
                bar.warp.sync -1;
                ld.shared.u32 %r2, [word];
                @%p1 st.shared.u32 [word], 5;
            }
            """);
        assertThatThrownBy(() -> emulator.launch(broadcast, "broadcast", Dim3.of(1), Dim3.of(32), 0))
                .isInstanceOf(KernelFault.class).hasMessageContaining("line 12").hasMessageContaining("write at offset 0, read by thread (1,0,0) at line 11");
    }

    @Test
    void neighbouringHalvesOfAWordAreNoRace() {
        PtxModule module = Snippet.module("""
            .visible .entry halves() {
                .reg .b32 %r<4>; .reg .b16 %h<2>;
                .shared .align 4 .b16 pair[2];
                mov.u32 %r1, %tid.x;
                shr.u32 %r1, %r1, 5;
                shl.b32 %r1, %r1, 1;
                mov.u32 %r2, pair;
                add.u32 %r2, %r2, %r1;
                mov.b16 %h1, 7;
                st.shared.b16 [%r2], %h1;
            }
            """);
        assertThatCode(() -> emulator.launch(module, "halves", Dim3.of(1), Dim3.of(64), 0)).doesNotThrowAnyException();
    }

    @Test
    void wordsThatNoThreadWroteAreReported() {
        long out = memory.allocate(4 * 32);
        PtxModule module = Snippet.module(reversal("bar.sync 0;").replace("st.shared.u32 [%r4], %r1;", ""));
        assertThatThrownBy(() -> emulator.launch(module, "reverse", Dim3.of(1), Dim3.of(32), 128, out))
                .isInstanceOf(KernelFault.class).hasMessageContaining("thread (0,0,0)").hasMessageContaining("offset 124").hasMessageContaining("never written");
    }

    @Test
    void accessesOutsideOfSharedMemoryAreReported() {
        long out = memory.allocate(4 * 64);
        assertThatThrownBy(() -> emulator.launch(Snippet.module(reversal("bar.sync 0;")), "reverse", Dim3.of(1), Dim3.of(64), 250, out))
                .isInstanceOf(KernelFault.class)
                .hasMessageContaining("line 13").hasMessageContaining("thread (62,0,0)").hasMessageContaining("outside the block's 250 bytes");
    }

    @Test
    void aBarrierThatPartOfAWarpMissesIsReported() {
        PtxModule module = Snippet.module("""
            .visible .entry part() {
                .reg .b32 %r<2>; .reg .pred %p;
                mov.u32 %r1, %tid.x;
                setp.lt.u32 %p, %r1, 5;
                @!%p bra AFTER;
                bar.sync 0;
            AFTER:
                bar.sync 0;
            }
            """);
        assertThatThrownBy(() -> emulator.launch(module, "part", Dim3.of(1), Dim3.of(32), 0))
                .isInstanceOf(KernelFault.class)
                .hasMessageContaining("kernel part, line 9").hasMessageContaining("barrier divergence: thread (5,0,0)");
    }

    @Test
    void aBarrierThatTooFewThreadsComeToIsReported() {
        PtxModule module = Snippet.module("""
            .visible .entry few() {
                bar.sync 1, 96;
            }
            """);
        assertThatThrownBy(() -> emulator.launch(module, "few", Dim3.of(1), Dim3.of(64), 0))
                .isInstanceOf(KernelFault.class).hasMessageContaining("line 5").hasMessageContaining("waits forever at barrier 1");
    }

    @Test
    void barriersOfSomeWarpsOrderOnlyThose() {
        // Warps 0 and 1 meet at barrier 1; warp 2 reads without having met them.
        String body = """
            .visible .entry named() {
                .reg .b32 %r<4>; .reg .pred %p<4>;
                .shared .u32 word;
                mov.u32 %r1, %tid.x;
                setp.eq.u32 %p1, %r1, 0;
                @%p1 st.shared.u32 [word], 1;
                setp.ge.u32 %p2, %r1, 64;
                @%p2 bra THIRD;
                bar.sync 1, 64;
                ld.shared.u32 %r2, [word];
                bra DONE;
            THIRD:
                %s
            DONE:
            }
            """;
        assertThatCode(() -> emulator.launch(Snippet.module(body.replace("%s", "")), "named", Dim3.of(1), Dim3.of(96), 0)).doesNotThrowAnyException();
        assertThatThrownBy(() -> emulator.launch(Snippet.module(body.replace("%s", "ld.shared.u32 %r2, [word];")), "named", Dim3.of(1), Dim3.of(96), 0))
                .isInstanceOf(KernelFault.class).hasMessageContaining("race in shared memory: read at offset 0, written by thread (0,0,0) at line 9");
    }

    @Test
    void atomicsOfSeveralWarpsAreNoRace() {
        long out = memory.allocate(4);
        PtxModule module = Snippet.module("""
            .visible .entry count(.param .u64 out) {
                .reg .b32 %r<4>; .reg .b64 %rd<2>; .reg .pred %p;
                .shared .u32 sum;
                mov.u32 %r1, %tid.x;
                setp.ne.u32 %p, %r1, 0;
                @!%p st.shared.u32 [sum], 0;
                bar.sync 0;
                atom.shared.add.u32 %r2, [sum], %r1;
                bar.sync 0;
                @%p exit;
                ld.shared.u32 %r3, [sum];
                ld.param.u64 %rd1, [out];
                st.global.u32 [%rd1], %r3;
            }
            """);
        emulator.launch(module, "count", Dim3.of(1), Dim3.of(128), 0, out);
        assertThat(memory.readInts(out, 1)).containsExactly(127 * 64);
    }

    @Test
    void aTiledProductEqualsThePlainOne() {
        int size = 48;
        long seed = 3;
        Random random = new Random(seed);
        float[] a = new float[size * size];
        float[] b = new float[size * size];
        for (int i = 0; i < a.length; i++) {
            a[i] = random.nextFloat() - 0.5f;
            b[i] = random.nextFloat() - 0.5f;
        }
        long deviceA = memory.allocate(4L * a.length);
        long deviceB = memory.allocate(4L * a.length);
        long deviceC = memory.allocate(4L * a.length);
        memory.write(deviceA, a);
        memory.write(deviceB, b);
        PtxModule module = Snippet.module("""
            .visible .entry product(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 size)
            .maxntid 16, 16, 1
            {
                .reg .b32 %r<24>; .reg .b64 %rd<16>; .reg .f32 %f<8>; .reg .pred %p<4>;
                .shared .align 4 .f32 tileA[256];
                .shared .align 4 .f32 tileB[256];
                ld.param.u64 %rd1, [a];
                ld.param.u64 %rd2, [b];
                ld.param.u64 %rd3, [c];
                ld.param.u32 %r1, [size];
                mov.u32 %r2, %tid.x;
                mov.u32 %r3, %tid.y;
                mov.u32 %r4, %ctaid.x;
                mov.u32 %r5, %ctaid.y;
                mad.lo.u32 %r6, %r4, 16, %r2;       // column
                mad.lo.u32 %r7, %r5, 16, %r3;       // row
                mad.lo.u32 %r8, %r3, 16, %r2;
                shl.b32 %r8, %r8, 2;
                mov.u32 %r9, tileA;
                mov.u32 %r10, tileB;
                add.u32 %r11, %r9, %r8;
                add.u32 %r12, %r10, %r8;
                shl.b32 %r13, %r3, 6;
                add.u32 %r13, %r13, %r9;            // A's row in its tile
                shl.b32 %r14, %r2, 2;
                add.u32 %r14, %r14, %r10;           // B's column in its tile
                mov.f32 %f1, 0f00000000;
                mov.u32 %r15, 0;
            TILE:
                add.u32 %r16, %r15, %r2;
                mad.lo.u32 %r16, %r7, %r1, %r16;
                mad.wide.u32 %rd4, %r16, 4, %rd1;
                ld.global.nc.f32 %f2, [%rd4];
                st.shared.f32 [%r11], %f2;
                add.u32 %r16, %r15, %r3;
                mad.lo.u32 %r16, %r16, %r1, %r6;
                mad.wide.u32 %rd4, %r16, 4, %rd2;
                ld.global.nc.f32 %f2, [%rd4];
                st.shared.f32 [%r12], %f2;
                bar.sync 0;
                mov.u32 %r17, 0;
                mov.u32 %r18, %r13;
                mov.u32 %r19, %r14;
            STEP:
                ld.shared.f32 %f3, [%r18];
                ld.shared.f32 %f4, [%r19];
                fma.rn.f32 %f1, %f3, %f4, %f1;
                add.u32 %r18, %r18, 4;
                add.u32 %r19, %r19, 64;
                add.u32 %r17, %r17, 1;
                setp.lt.u32 %p1, %r17, 16;
                @%p1 bra STEP;
                bar.sync 0;
                add.u32 %r15, %r15, 16;
                setp.lt.u32 %p1, %r15, %r1;
                @%p1 bra TILE;
                mad.lo.u32 %r16, %r7, %r1, %r6;
                mad.wide.u32 %rd4, %r16, 4, %rd3;
                st.global.f32 [%rd4], %f1;
                ret;
            }
            """);
        emulator.launch(module, "product", Dim3.of(3, 3), Dim3.of(16, 16), 0, deviceA, deviceB, deviceC, size);
        float[] sequential = memory.readFloats(deviceC, a.length);
        for (int row = 0; row < size; row++) {
            for (int column = 0; column < size; column++) {
                float expected = 0;
                for (int k = 0; k < size; k++) {
                    expected = Math.fma(a[row * size + k], b[k * size + column], expected);
                }
                assertThat(sequential[row * size + column]).as("row %d column %d seed %d", row, column, seed).isEqualTo(expected);
            }
        }
        memory.fill(deviceC, 4L * a.length, (byte) 0);
        new PtxEmulator(memory, EmulatorChecks.ALL, 3).launch(module, "product", Dim3.of(3, 3), Dim3.of(16, 16), 0, deviceA, deviceB, deviceC, size);
        assertThat(memory.readFloats(deviceC, a.length)).isEqualTo(sequential);
    }
}
