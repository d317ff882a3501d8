package kiln.kernels.emulator;

/** Conversions between half precision bits and float, by table and by bits. */
final class Half {
    private static final float[] VALUES = new float[1 << 16];

    static {
        for (int bits = 0; bits < VALUES.length; bits++) {
            int exponent = bits >>> 10 & 31;
            int fraction = bits & 1023;
            float magnitude = switch (exponent) {
                case 0 -> Math.scalb((float) fraction, -24);
                case 31 -> fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
                default -> Math.scalb((float) (1024 + fraction), exponent - 25);
            };
            VALUES[bits] = (bits & 0x8000) != 0 ? -magnitude : magnitude;
        }
    }

    private Half() { }

    /** The value of the low 16 bits. */
    static float toFloat(int bits) {
        return VALUES[bits & 0xffff];
    }

    static float bfloatToFloat(int bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Nearest half, ties to even. */
    static int fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fff_ffff;
        if (magnitude > 0x7f80_0000) {
            return 0x7fff;
        }
        if (magnitude >= 0x477f_f000) {
            // 65520 and above is nearer to what would be 65536.
            return sign | 0x7c00;
        }
        if (magnitude < 0x3880_0000) {
            // Below the least normal half, 2^-14: adding 0.5 lets the float unit round at 2^-24.
            float shifted = Float.intBitsToFloat(magnitude) + 0.5f;
            return sign | Float.floatToRawIntBits(shifted) - 0x3f00_0000;
        }
        int odd = magnitude >>> 13 & 1;
        return sign | (magnitude - 0x3800_0000 + 0xfff + odd) >>> 13;
    }

    static int bfloatFromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7fff_ffff) > 0x7f80_0000) {
            return 0x7fff;
        }
        return (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
    }
}
