package kiln.weights;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Nanoseconds an element, in blocks that stay in the cache. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ShortFloatsBenchmark {
    private static final int ELEMENTS = 4096;

    private final short[] f16 = new short[ELEMENTS];
    private final short[] bf16 = new short[ELEMENTS];
    private final float[] f32 = new float[ELEMENTS];
    private final float[] floats = new float[ELEMENTS];
    private final short[] shorts = new short[ELEMENTS];

    /** Values spread as weights are. */
    @Setup
    public void fill() {
        Random random = new Random(1);
        for (int i = 0; i < ELEMENTS; i++) {
            f32[i] = (float) random.nextGaussian() * 0.05f;
        }
        ShortFloats.f32ToF16(f32, 0, f16, 0, ELEMENTS);
        ShortFloats.f32ToBf16(f32, 0, bf16, 0, ELEMENTS);
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public float[] f16ToF32() {
        ShortFloats.f16ToF32(f16, 0, floats, 0, ELEMENTS);
        return floats;
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public float[] bf16ToF32() {
        ShortFloats.bf16ToF32(bf16, 0, floats, 0, ELEMENTS);
        return floats;
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public short[] f32ToF16() {
        ShortFloats.f32ToF16(f32, 0, shorts, 0, ELEMENTS);
        return shorts;
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public short[] f32ToBf16() {
        ShortFloats.f32ToBf16(f32, 0, shorts, 0, ELEMENTS);
        return shorts;
    }
}
