package kiln.kernels.emulator;

/** Wraps a few instructions into a kernel of one warp or more: thread i finds its inputs in registers and leaves its result in one. */
final class Snippet {
    static final String HEADER = """
            .version 7.8
            .target sm_90
            .address_size 64
            """;

    private static final String REGISTERS = """
                .reg .b16 %h<16>;
                .reg .b32 %r<32>;
                .reg .f32 %f<32>;
                .reg .b64 %rd<32>;
                .reg .f64 %fd<16>;
                .reg .pred %p<16>;
            """;

    private Snippet() { }

    static PtxModule module(String entry) {
        return PtxModule.parse(HEADER + entry);
    }

    /**
     * Runs instructions that take %r1, %r2, … (the inputs' elements of this thread) to %r0. %r30 is the thread's number.
     */
    static int[] run32(String instructions, int[]... inputs) {
        StringBuilder ptx = new StringBuilder(".visible .entry snippet(.param .u64 out, .param .u64 in)\n{\n").append(REGISTERS);
        ptx.append("    mov.u32 %r30, %tid.x;\n    ld.param.u64 %rd30, [in];\n    ld.param.u64 %rd31, [out];\n");
        ptx.append("    mad.wide.u32 %rd30, %r30, ").append(4 * inputs.length).append(", %rd30;\n    mad.wide.u32 %rd31, %r30, 4, %rd31;\n");
        for (int i = 0; i < inputs.length; i++) {
            ptx.append("    ld.global.b32 %r").append(i + 1).append(", [%rd30+").append(4 * i).append("];\n");
        }
        ptx.append(instructions).append("\n    st.global.b32 [%rd31], %r0;\n    ret;\n}\n");
        int threads = inputs[0].length;
        DeviceMemory memory = new DeviceMemory(1 << 24);
        long in = memory.allocate(4L * threads * inputs.length);
        long out = memory.allocate(4L * threads);
        int[] packed = new int[threads * inputs.length];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = inputs[i % inputs.length][i / inputs.length];
        }
        memory.write(in, packed);
        new PtxEmulator(memory).launch(module(ptx.toString()), "snippet", Dim3.of(1), Dim3.of(threads), 0, out, in);
        return memory.readInts(out, threads);
    }

    /** As {@link #run32}, from %rd1, %rd2, … to %rd0. */
    static long[] run64(String instructions, long[]... inputs) {
        StringBuilder ptx = new StringBuilder(".visible .entry snippet(.param .u64 out, .param .u64 in)\n{\n").append(REGISTERS);
        ptx.append("    mov.u32 %r30, %tid.x;\n    ld.param.u64 %rd30, [in];\n    ld.param.u64 %rd31, [out];\n");
        ptx.append("    mad.wide.u32 %rd30, %r30, ").append(8 * inputs.length).append(", %rd30;\n    mad.wide.u32 %rd31, %r30, 8, %rd31;\n");
        for (int i = 0; i < inputs.length; i++) {
            ptx.append("    ld.global.b64 %rd").append(i + 1).append(", [%rd30+").append(8 * i).append("];\n");
        }
        ptx.append(instructions).append("\n    st.global.b64 [%rd31], %rd0;\n    ret;\n}\n");
        int threads = inputs[0].length;
        DeviceMemory memory = new DeviceMemory(1 << 24);
        long in = memory.allocate(8L * threads * inputs.length);
        long out = memory.allocate(8L * threads);
        byte[] packed = new byte[8 * threads * inputs.length];
        for (int i = 0; i < threads * inputs.length; i++) {
            DeviceMemory.LONG.set(packed, 8 * i, inputs[i % inputs.length][i / inputs.length]);
        }
        memory.write(in, packed);
        new PtxEmulator(memory).launch(module(ptx.toString()), "snippet", Dim3.of(1), Dim3.of(threads), 0, out, in);
        byte[] bytes = memory.readBytes(out, 8 * threads);
        long[] result = new long[threads];
        for (int i = 0; i < threads; i++) {
            result[i] = (long) DeviceMemory.LONG.get(bytes, 8 * i);
        }
        return result;
    }

    static int[] ints(int... values) {
        return values;
    }

    static long[] longs(long... values) {
        return values;
    }

    static int[] bits(float... values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    static float[] floats(int... bits) {
        float[] values = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
            values[i] = Float.intBitsToFloat(bits[i]);
        }
        return values;
    }

    /** 0, 1, 2, … */
    static int[] lanes(int count) {
        int[] lanes = new int[count];
        for (int i = 0; i < count; i++) {
            lanes[i] = i;
        }
        return lanes;
    }
}
