package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    private final DeviceMemory memory = new DeviceMemory(10_000);
    private final PtxEmulator emulator = new PtxEmulator(memory);
    private final PtxModule copy = Snippet.module("""
        .visible .entry copy(.param .u64 from, .param .u64 to)
        {
            .reg .b32 %r<4>; .reg .b64 %rd<4>;
            mov.u32 %r1, %ctaid.x;
            mov.u32 %r2, %tid.x;
            mad.lo.u32 %r1, %r1, 32, %r2;
            ld.param.u64 %rd1, [from];
            ld.param.u64 %rd2, [to];
            mad.wide.u32 %rd1, %r1, 4, %rd1;
            mad.wide.u32 %rd2, %r1, 4, %rd2;
            ld.global.u32 %r3, [%rd1];
            st.global.u32 [%rd2], %r3;
        }
        """);

    private void copy(long from, long to) {
        emulator.launch(copy, "copy", Dim3.of(2), Dim3.of(32), 0, from, to);
    }

    @Test
    void kernelsReadAndWriteIt() {
        long from = memory.allocate(256);
        long to = memory.allocate(256);
        memory.write(from, Snippet.lanes(64));
        copy(from, to);
        assertThat(memory.readInts(to, 64)).isEqualTo(Snippet.lanes(64));
    }

    @Test
    void accessesPastTheEndAreReported() {
        long from = memory.allocate(256);
        long to = memory.allocate(200);
        memory.write(from, Snippet.lanes(64));
        assertThatThrownBy(() -> copy(from, to)).isInstanceOf(KernelFault.class)
                .hasMessageContaining("kernel copy, line 15 (st.global.u32 [%rd2], %r3), block (1,0,0), thread (18,0,0)")
                .hasMessageContaining("4 bytes past the end of the allocation of 200 bytes");
        assertThatThrownBy(() -> copy(from + 4096, to)).isInstanceOf(KernelFault.class).hasMessageContaining("read of 4 bytes");
        assertThatThrownBy(() -> copy(0, to)).isInstanceOf(KernelFault.class).hasMessageContaining("0x0 is in no allocation");
    }

    @Test
    void freedMemoryIsNotUsed() {
        long from = memory.allocate(256);
        long to = memory.allocate(256);
        memory.write(from, Snippet.lanes(64));
        memory.free(from);
        assertThatThrownBy(() -> copy(from, to)).isInstanceOf(KernelFault.class).hasMessageContaining("thread (0,0,0)").hasMessageContaining("freed");
        assertThatThrownBy(() -> memory.free(from)).isInstanceOf(DeviceMemory.BadAddress.class).hasMessageContaining("already freed");
        assertThatThrownBy(() -> memory.read(from, new byte[4])).isInstanceOf(DeviceMemory.BadAddress.class);
    }

    @Test
    void misalignedAccessesAreReported() {
        long from = memory.allocate(300);
        memory.fill(from, 300, (byte) 0);
        assertThatThrownBy(() -> copy(from + 2, from)).isInstanceOf(KernelFault.class).hasMessageContaining("is not aligned");
    }

    @Test
    void memoryThatNothingWroteIsReported() {
        long from = memory.allocate(256);
        long to = memory.allocate(256);
        memory.write(from, Snippet.lanes(40));
        assertThatThrownBy(() -> copy(from, to)).isInstanceOf(KernelFault.class)
                .hasMessageContaining("line 14").hasMessageContaining("block (1,0,0), thread (8,0,0)").hasMessageContaining("offset 160").hasMessageContaining("never written");
        new PtxEmulator(memory, EmulatorChecks.NONE, 1).launch(copy, "copy", Dim3.of(2), Dim3.of(32), 0, from, to);
        // A copy on the card carries over what is not written.
        memory.copy(from + 128, from + 192, 64);
        assertThat(memory.isInitialised(from, 128)).isTrue();
        assertThat(memory.isInitialised(from + 128, 64)).isFalse();
    }

    @Test
    void itsSizeIsALimit() {
        long first = memory.allocate(6_000);
        assertThatThrownBy(() -> memory.allocate(4_001)).isInstanceOf(DeviceMemory.OutOfMemory.class)
                .hasMessage("device memory: needed 4001 bytes, 4000 are free");
        memory.free(first);
        assertThat(memory.freeBytes()).isEqualTo(10_000);
        assertThat(memory.allocate(10_000)).isNotEqualTo(first);
        assertThat(memory.peakBytes()).isEqualTo(10_000);
    }

    @Test
    void modulesBringTheirVariables() {
        PtxModule module = Snippet.module("""
            .global .align 4 .u32 counter;
            .const .align 4 .f32 table[3] = {1.5, 0f40000000, -3.0};
            .visible .entry use(.param .u64 out)
            {
                .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .f32 %f<4>;
                atom.global.add.u32 %r1, [counter], 5;
                mov.u64 %rd1, table;
                ld.const.f32 %f1, [%rd1+4];
                ld.const.f32 %f2, [table+8];
                add.f32 %f1, %f1, %f2;
                ld.param.u64 %rd2, [out];
                st.global.f32 [%rd2], %f1;
            }
            """);
        long out = memory.allocate(4);
        emulator.launch(module, "use", Dim3.of(1), Dim3.of(1), 0, out);
        emulator.launch(module, "use", Dim3.of(1), Dim3.of(1), 0, out);
        assertThat(memory.readFloats(out, 1)).containsExactly(-1f);
        assertThat(memory.readInts(emulator.addressOf(module, "counter"), 1)).containsExactly(10);
    }

    @Test
    void launchesAreChecked() {
        assertThatThrownBy(() -> emulator.launch(copy, "copy", Dim3.of(1), Dim3.of(32), 0, 1L)).hasMessage("kernel copy: takes 2 arguments, got 1");
        assertThatThrownBy(() -> emulator.launch(copy, "copy", Dim3.of(1), Dim3.of(32), 0, 1L, 2)).hasMessageContaining("parameter to has 8 bytes, got 4 (Integer)");
        assertThatThrownBy(() -> emulator.launch(copy, "none", Dim3.of(1), Dim3.of(32), 0)).hasMessage("module: no entry none; it has [copy]");
        assertThatThrownBy(() -> emulator.launch(copy, "copy", Dim3.of(1), Dim3.of(2000), 0, 1L, 2L)).hasMessageContaining("1 to 1024 threads");
    }
}
