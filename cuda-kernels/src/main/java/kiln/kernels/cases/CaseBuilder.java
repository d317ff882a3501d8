package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;

/** Collects a case's buffers and launches. Random values are seeded by the case's name, so a case is the same every time. */
final class CaseBuilder {
    private final Kernel kernel;
    private final String size;
    private final Random random;
    private final List<KernelCase.Buffer> buffers = new ArrayList<>();
    private final List<KernelCall> calls = new ArrayList<>();

    CaseBuilder(Kernel kernel, String size) {
        this.kernel = kernel;
        this.size = size;
        random = new Random((kernel.name() + size).hashCode());
    }

    /** Normally distributed values as the type stores them. */
    float[] normal(DataType type, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return type.decode(type.encode(values));
    }

    int integer(int bound) {
        return random.nextInt(bound);
    }

    long input(String name, DataType type, float[] values, Integer... shape) {
        return buffer(new KernelCase.Buffer(name, type, Arrays.asList(shape), values, null));
    }

    long output(String name, DataType type, float[] expected, Integer... shape) {
        return buffer(new KernelCase.Buffer(name, type, Arrays.asList(shape), null, expected));
    }

    /** Results that later launches read and nobody compares. */
    long work(String name, DataType type, Integer... shape) {
        return buffer(new KernelCase.Buffer(name, type, Arrays.asList(shape), null, null));
    }

    private long buffer(KernelCase.Buffer buffer) {
        float[] contents = buffer.values() == null ? buffer.expected() : buffer.values();
        if (contents != null && contents.length != buffer.elements()) {
            throw new IllegalArgumentException(kernel.name() + ", " + size + ": buffer " + buffer.name() + " has " + contents.length
                    + " values for shape " + buffer.shape());
        }
        buffers.add(buffer);
        return KernelCase.address(buffers.size() - 1);
    }

    CaseBuilder call(KernelCall call) {
        calls.add(call);
        return this;
    }

    KernelCase build(double absolute, double relative) {
        return new KernelCase(kernel, size, buffers, calls, absolute, relative);
    }

    /**
     * The tolerance that rounding the result to {@code type} needs, with {@code f32} for what the arithmetic loses: half an ulp of a half is
     * 2^-11 of the value.
     */
    KernelCase build(DataType type, double f32) {
        return type == DataType.F16 ? build(f32 + 1e-4, 1e-3) : build(f32, f32);
    }
}
