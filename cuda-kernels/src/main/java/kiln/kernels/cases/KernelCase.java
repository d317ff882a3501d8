package kiln.kernels.cases;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.Target;

/**
 * One case: buffers, launches in order, and what the buffers then hold.
 *
 * <p>Addresses in {@code calls} are symbols: {@link #address} of a buffer's place in the list. Whoever runs a case puts real ones there.
 *
 * @param kernel whose case this is; launches may be of others as well
 * @param size says what is special about its sizes, unique among the kernel's cases: "7 rows, 33 columns"
 * @param absolute with {@code relative}: a result may differ from the expected one by {@code absolute + relative · |expected|}
 */
public record KernelCase(Kernel kernel, String size, List<Buffer> buffers, List<KernelCall> calls, double absolute, double relative) {
    private static final int ADDRESS_SHIFT = 40;

    /**
     * @param values contents before, {@code null} when undefined
     * @param expected contents after, {@code null} when nothing is said about them
     */
    public record Buffer(String name, DataType type, List<Integer> shape, float[] values, float[] expected) {
        public Buffer {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(type, "type");
            shape = List.copyOf(shape);
        }

        public int elements() {
            return shape.stream().reduce(1, Math::multiplyExact);
        }
    }

    public KernelCase {
        Objects.requireNonNull(kernel, "kernel");
        Objects.requireNonNull(size, "size");
        buffers = List.copyOf(buffers);
        calls = List.copyOf(calls);
    }

    /** The symbol for a buffer's first byte; bytes behind it may be added. */
    static long address(int buffer) {
        return (buffer + 1L) << ADDRESS_SHIFT;
    }

    /** Which buffer a symbol means. */
    public static int bufferOf(long address) {
        return Math.toIntExact((address >>> ADDRESS_SHIFT) - 1);
    }

    /** How many bytes behind the buffer's first. */
    public static long offsetOf(long address) {
        return address & (1L << ADDRESS_SHIFT) - 1;
    }

    /**
     * A call with addresses for symbols.
     *
     * @param addresses of the case's buffers, in their order
     */
    public static KernelCall bind(KernelCall call, long[] addresses) {
        List<Object> arguments = call.arguments().stream()
                .map(argument -> argument instanceof Long symbol ? (Object) (addresses[bufferOf(symbol)] + offsetOf(symbol)) : argument)
                .toList();
        return new KernelCall(call.kernel(), call.gridX(), call.gridY(), call.gridZ(), arguments);
    }

    /** How far a result may be from this one. */
    public double allowed(float expected) {
        return absolute + relative * Math.abs((double) expected);
    }

    /** Whether a result is within the tolerance; NaN never is. */
    public boolean accepts(float expected, float actual) {
        return Math.abs((double) actual - expected) <= allowed(expected);
    }

    /** The lowest compute capability, times ten, that runs all of the case's kernels. */
    public Target target() {
        return calls.stream().map(call -> call.kernel().target()).max(Comparator.comparingInt(Target::capability)).orElseThrow();
    }

    /** @param capability the card's, times ten */
    boolean runsOn(int capability) {
        return calls.stream().allMatch(call -> call.kernel().target().runsOn(capability));
    }

    @Override
    public String toString() {
        return kernel.name() + " " + kernel.variant() + ", " + size;
    }
}
