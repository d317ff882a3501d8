package kiln.kernels.emulator;

/**
 * Shapes of operations that treat every lane alike. Each runs over all 32 lanes; the warp keeps the results of those that are on. The loops are small
 * methods of their own, which the JIT compiles well.
 */
final class Lanes {
    interface Unary32 {
        void apply(int[] d, int[] a);
    }

    interface Binary32 {
        void apply(int[] d, int[] a, int[] b);
    }

    interface Ternary32 {
        void apply(int[] d, int[] a, int[] b, int[] c);
    }

    interface Unary64 {
        void apply(long[] d, long[] a);
    }

    interface Binary64 {
        void apply(long[] d, long[] a, long[] b);
    }

    interface Ternary64 {
        void apply(long[] d, long[] a, long[] b, long[] c);
    }

    interface Shift64 {
        void apply(long[] d, long[] a, int[] b);
    }

    interface Widen {
        void apply(long[] d, int[] a);
    }

    interface Narrow {
        void apply(int[] d, long[] a);
    }

    interface WideBinary {
        void apply(long[] d, int[] a, int[] b);
    }

    interface WideTernary {
        void apply(long[] d, int[] a, int[] b, long[] c);
    }

    interface Compare32 {
        int apply(int[] a, int[] b);
    }

    interface Compare64 {
        int apply(long[] a, long[] b);
    }

    private Lanes() { }

    static Operation unary(Unary32 f, int d, int a) {
        return (warp, mask) -> {
            f.apply(warp.begin32(d, mask), warp.r32[a]);
            warp.end32(d, mask);
        };
    }

    static Operation binary(Binary32 f, int d, int a, int b) {
        return (warp, mask) -> {
            f.apply(warp.begin32(d, mask), warp.r32[a], warp.r32[b]);
            warp.end32(d, mask);
        };
    }

    static Operation ternary(Ternary32 f, int d, int a, int b, int c) {
        return (warp, mask) -> {
            f.apply(warp.begin32(d, mask), warp.r32[a], warp.r32[b], warp.r32[c]);
            warp.end32(d, mask);
        };
    }

    static Operation unary(Unary64 f, int d, int a) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r64[a]);
            warp.end64(d, mask);
        };
    }

    static Operation binary(Binary64 f, int d, int a, int b) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r64[a], warp.r64[b]);
            warp.end64(d, mask);
        };
    }

    static Operation ternary(Ternary64 f, int d, int a, int b, int c) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r64[a], warp.r64[b], warp.r64[c]);
            warp.end64(d, mask);
        };
    }

    static Operation shift(Shift64 f, int d, int a, int b) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r64[a], warp.r32[b]);
            warp.end64(d, mask);
        };
    }

    static Operation widen(Widen f, int d, int a) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r32[a]);
            warp.end64(d, mask);
        };
    }

    static Operation narrow(Narrow f, int d, int a) {
        return (warp, mask) -> {
            f.apply(warp.begin32(d, mask), warp.r64[a]);
            warp.end32(d, mask);
        };
    }

    static Operation wide(WideBinary f, int d, int a, int b) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r32[a], warp.r32[b]);
            warp.end64(d, mask);
        };
    }

    static Operation wide(WideTernary f, int d, int a, int b, int c) {
        return (warp, mask) -> {
            f.apply(warp.begin64(d, mask), warp.r32[a], warp.r32[b], warp.r64[c]);
            warp.end64(d, mask);
        };
    }

    /** 16-bit values with their sign or zeros above, as the 32-bit loops want them. */
    static int[] extended16(int[] a, boolean signed) {
        int[] extended = new int[32];
        for (int i = 0; i < 32; i++) {
            extended[i] = signed ? (short) a[i] : a[i] & 0xffff;
        }
        return extended;
    }

    static void cut16(int[] d) {
        for (int i = 0; i < 32; i++) {
            d[i] &= 0xffff;
        }
    }
}
