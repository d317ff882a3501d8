package kiln.runtime.image;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Writing and reading a 512×512 picture of soft shapes with a little noise, as the decoder gives them. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PngBenchmark {
    private static final int SIDE = 512;

    private Picture picture;
    private byte[] png;

    @Setup
    public void drawPicture() {
        byte[] rgb = new byte[3 * SIDE * SIDE];
        Random random = new Random(1);
        for (int i = 0; i < rgb.length; i++) {
            int pixel = i / 3;
            double wave = Math.sin(pixel % SIDE / 40.0 + i % 3) + Math.cos(pixel / SIDE / 55.0);
            rgb[i] = (byte) Math.max(0, Math.min(255, 128 + 60 * wave + 3 * random.nextGaussian()));
        }
        picture = new Picture(SIDE, SIDE, rgb);
        png = PngWriter.encode(picture, Map.of());
    }

    @Benchmark
    public byte[] encode() {
        return PngWriter.encode(picture, Map.of("parameters", "a prompt"));
    }

    @Benchmark
    public Picture decode() {
        return PngReader.readPicture(png, "benchmark");
    }
}
