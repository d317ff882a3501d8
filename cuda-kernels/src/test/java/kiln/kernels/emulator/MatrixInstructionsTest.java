package kiln.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatrixInstructionsTest {
    private static final long SEED = 7;

    /** Fragments are loaded element by element by the formulas of the PTX ISA, in PTX; the result is compared with a plain product. */
    @ParameterizedTest
    @CsvSource({"8, f16, f32", "16, f16, f32", "8, bf16, f32", "16, bf16, f32", "8, f16, f16", "16, f16, f16"})
    void productsEqualPlainOnes(int depth, String input, String result) {
        Random random = new Random(SEED);
        short[] a = halves(random, 16 * depth, input);
        short[] b = halves(random, depth * 8, input);
        float[] c = new float[16 * 8];
        for (int i = 0; i < c.length; i++) {
            c[i] = random.nextInt(64) - 32;
        }
        DeviceMemory memory = new DeviceMemory(1 << 20);
        long deviceA = memory.allocate(2L * a.length);
        long deviceB = memory.allocate(2L * b.length);
        long deviceC = memory.allocate(4L * c.length);
        long deviceD = memory.allocate(4L * c.length);
        memory.write(deviceA, a);
        memory.write(deviceB, b);
        memory.write(deviceC, c);
        PtxModule module = Snippet.module(product(depth, input, result));
        new PtxEmulator(memory).launch(module, "product", Dim3.of(1), Dim3.of(32), 0, deviceA, deviceB, deviceC, deviceD);
        float[] d = memory.readFloats(deviceD, c.length);
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 8; column++) {
                double expected = c[row * 8 + column];
                for (int k = 0; k < depth; k++) {
                    expected += (double) value(a[row * depth + k], input) * value(b[k * 8 + column], input);
                }
                // Inputs are small whole numbers, so that every sum is exact in f32 and in f16.
                assertThat(d[row * 8 + column]).as("row %d column %d seed %d", row, column, SEED).isEqualTo((float) expected);
            }
        }
    }

    private static short[] halves(Random random, int count, String type) {
        short[] halves = new short[count];
        for (int i = 0; i < count; i++) {
            float value = random.nextInt(9) - 4;
            halves[i] = (short) (type.equals("f16") ? Half.fromFloat(value) : Half.bfloatFromFloat(value));
        }
        return halves;
    }

    private static float value(short bits, String type) {
        return type.equals("f16") ? Half.toFloat(bits) : Half.bfloatToFloat(bits);
    }

    /** A is row-major [16][depth], B row-major [depth][8], C and D row-major f32 [16][8]. */
    private static String product(int depth, String input, String result) {
        StringBuilder ptx = new StringBuilder("""
            .visible .entry product(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d)
            {
                .reg .b32 %r<40>; .reg .b64 %rd<40>; .reg .b16 %h<8>; .reg .f32 %f<8>; .reg .b32 %a<4>; .reg .b32 %b<2>; .reg .b32 %c<2>;
                ld.param.u64 %rd1, [a];
                ld.param.u64 %rd2, [b];
                ld.param.u64 %rd3, [c];
                ld.param.u64 %rd4, [d];
                mov.u32 %r1, %laneid;
                shr.u32 %r2, %r1, 2;        // group
                and.b32 %r3, %r1, 3;        // member
                shl.b32 %r4, %r3, 1;        // 2 * member
            """);
        // A's element i (0..): row = group for i in 0,1,4,5 and group+8 else; column = member*2 + (i & 1), plus 8 for i >= 4.
        for (int i = 0; i < depth; i += 2) {
            int rowPlus = (i / 2) % 2 * 8;
            int columnPlus = i >= 4 ? 8 : 0;
            if (i / 2 >= depth / 4) {
                break;
            }
            ptx.append("    add.u32 %r5, %r2, ").append(rowPlus).append(";\n    mad.lo.u32 %r5, %r5, ").append(depth).append(", %r4;\n    add.u32 %r5, %r5, ")
                    .append(columnPlus).append(";\n    mad.wide.u32 %rd5, %r5, 2, %rd1;\n    ld.global.b32 %a").append(i / 2).append(", [%rd5];\n");
        }
        // B's element i: row = member*2 + (i & 1), plus 8 for i >= 2; column = group.
        for (int i = 0; i < depth / 8; i++) {
            ptx.append("    add.u32 %r5, %r4, ").append(8 * i).append(";\n    mad.lo.u32 %r5, %r5, 8, %r2;\n    mad.wide.u32 %rd5, %r5, 2, %rd2;\n")
                    .append("    ld.global.b16 %h0, [%rd5];\n    ld.global.b16 %h1, [%rd5+16];\n    mov.b32 %b").append(i).append(", {%h0, %h1};\n");
        }
        // C's element i: row = group for i < 2 and group+8 else; column = member*2 + (i & 1).
        for (int half = 0; half < 2; half++) {
            ptx.append("    add.u32 %r5, %r2, ").append(8 * half).append(";\n    mad.lo.u32 %r5, %r5, 8, %r4;\n    mad.wide.u32 %rd").append(6 + half)
                    .append(", %r5, 4, %rd3;\n    ld.global.v2.f32 {%f").append(2 * half).append(", %f").append(2 * half + 1).append("}, [%rd")
                    .append(6 + half).append("];\n    mad.wide.u32 %rd").append(6 + half).append(", %r5, 4, %rd4;\n");
        }
        String as = depth == 8 ? "{%a0, %a1}" : "{%a0, %a1, %a2, %a3}";
        String bs = depth == 8 ? "{%b0}" : "{%b0, %b1}";
        String opcode = "    mma.sync.aligned.m16n8k" + depth + ".row.col." + result + "." + input + "." + input + "." + result + " ";
        if (result.equals("f32")) {
            ptx.append(opcode).append("{%f0, %f1, %f2, %f3}, ").append(as).append(", ").append(bs).append(", {%f0, %f1, %f2, %f3};\n");
        } else {
            ptx.append("    cvt.rn.f16x2.f32 %c0, %f1, %f0;\n    cvt.rn.f16x2.f32 %c1, %f3, %f2;\n");
            ptx.append(opcode).append("{%c0, %c1}, ").append(as).append(", ").append(bs).append(", {%c0, %c1};\n");
            ptx.append("    mov.b32 {%h0, %h1}, %c0;\n    mov.b32 {%h2, %h3}, %c1;\n");
            for (int i = 0; i < 4; i++) {
                ptx.append("    cvt.f32.f16 %f").append(i).append(", %h").append(i).append(";\n");
            }
        }
        return ptx.append("    st.global.v2.f32 [%rd6], {%f0, %f1};\n    st.global.v2.f32 [%rd7], {%f2, %f3};\n    ret;\n}\n").toString();
    }

    @Test
    void aProductNeedsTheWholeWarp() {
        PtxModule module = Snippet.module(product(8, "f16", "f32"));
        DeviceMemory memory = new DeviceMemory(1 << 20);
        long buffer = memory.allocate(4096);
        memory.fill(buffer, 4096, (byte) 0);
        assertThatThrownBy(() -> new PtxEmulator(memory).launch(module, "product", Dim3.of(1), Dim3.of(24), 0, buffer, buffer, buffer, buffer))
                .isInstanceOf(KernelFault.class).hasMessageContaining("mma.sync").hasMessageContaining("lane 24");
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "4, false", "1, true", "2, true", "4, true"})
    void ldmatrixGivesEachThreadItsPair(int count, boolean transposed) {
        // Matrix m, row r, column c holds m*64 + r*8 + c; rows lie backwards in shared memory, to see that the threads' addresses count.
        String targets = count == 1 ? "{%r10}" : count == 2 ? "{%r10, %r11}" : "{%r10, %r11, %r12, %r13}";
        StringBuilder ptx = new StringBuilder("""
            .visible .entry load(.param .u64 out)
            {
                .reg .b32 %r<32>; .reg .b64 %rd<8>; .reg .b16 %h<4>;
                .shared .align 16 .b8 tile[512];
                mov.u32 %r1, %tid.x;
                mov.u32 %r2, tile;
                mov.u32 %r3, 31;
                sub.u32 %r3, %r3, %r1;
                shl.b32 %r3, %r3, 4;
                add.u32 %r3, %r3, %r2;      // this thread's row
                shl.b32 %r4, %r1, 3;        // first value of the row
            """);
        for (int i = 0; i < 8; i++) {
            ptx.append("    add.u32 %r5, %r4, ").append(i).append(";\n    cvt.u16.u32 %h0, %r5;\n    st.shared.u16 [%r3+").append(2 * i).append("], %h0;\n");
        }
        ptx.append("    bar.sync 0;\n    ldmatrix.sync.aligned.m8n8.x").append(count).append(transposed ? ".trans" : "").append(".shared.b16 ")
                .append(targets).append(", [%r3];\n    ld.param.u64 %rd1, [out];\n    mad.wide.u32 %rd1, %r1, ").append(4 * count).append(", %rd1;\n");
        for (int i = 0; i < count; i++) {
            ptx.append("    st.global.b32 [%rd1+").append(4 * i).append("], %r").append(10 + i).append(";\n");
        }
        ptx.append("}\n");
        DeviceMemory memory = new DeviceMemory(1 << 20);
        long out = memory.allocate(4L * 32 * count);
        new PtxEmulator(memory).launch(Snippet.module(ptx.toString()), "load", Dim3.of(1), Dim3.of(32), 0, out);
        int[] result = memory.readInts(out, 32 * count);
        for (int lane = 0; lane < 32; lane++) {
            for (int matrix = 0; matrix < count; matrix++) {
                int pair = 2 * (lane % 4);
                int line = lane / 4;
                int low = matrix * 64 + (transposed ? pair * 8 + line : line * 8 + pair);
                int high = matrix * 64 + (transposed ? (pair + 1) * 8 + line : line * 8 + pair + 1);
                assertThat(result[lane * count + matrix]).isEqualTo(low | high << 16);
            }
        }
    }
}
