package kiln.runtime.noise;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The noise of one 512×512 picture: 4×64×64 numbers from a new generator. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class NoiseBenchmark {
    @Param
    public NoiseKind kind;

    private final float[] latent = new float[4 * 64 * 64];
    private long seed;

    @Benchmark
    public float[] fill() {
        NoiseSource.of(kind, CardProfile.USUAL, seed++).fill(latent);
        return latent;
    }
}
