package kiln.kernels.emulator;

/** Extents or a position in a grid or a block. */
public record Dim3(int x, int y, int z) {
    public static Dim3 of(int x) {
        return new Dim3(x, 1, 1);
    }

    public static Dim3 of(int x, int y) {
        return new Dim3(x, y, 1);
    }

    long count() {
        return (long) x * y * z;
    }

    Dim3 at(long linear) {
        return new Dim3((int) (linear % x), (int) (linear / x % y), (int) (linear / x / y));
    }

    @Override
    public String toString() {
        return "(" + x + "," + y + "," + z + ")";
    }
}
