package kiln.runtime.exec;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One convolution (320 to 320 channels) and one attention (8 heads of 40) at 32×32, batch 2: a level of SD 1.5 at half its size. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
public class ExecutorBenchmark {
    @Param({"reference", "onednn f32", "onednn bf16"})
    public String executor;

    private Executor running;
    private CompiledGraph convolution;
    private CompiledGraph attention;
    private Map<String, float[]> picture;
    private Map<String, float[]> packed;

    @Setup
    public void compile() {
        WeightSource weights = new RandomWeights();
        running = switch (executor) {
            case "reference" -> new ReferenceExecutor(weights);
            case "onednn f32" -> new OneDnnExecutor(weights, Precision.F32);
            default -> new OneDnnExecutor(weights, Precision.BF16);
        };
        Shape shape = new Shape(2, 32, 32, 320);
        GraphBuilder convolving = new GraphBuilder(weights::shape, "");
        convolving.output("y", convolving.conv3x3("conv", convolving.input("x", shape)));
        convolution = running.compile(convolving.build());
        GraphBuilder attending = new GraphBuilder(weights::shape, "");
        int q = attending.input("q", shape);
        int k = attending.input("k", shape);
        int v = attending.input("v", shape);
        attending.output("y", attending.attention("attention", q, k, v, 8, false));
        attention = running.compile(attending.build());
        float[] values = new float[(int) shape.elements()];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        picture = Map.of("x", values);
        packed = Map.of("q", values, "k", values, "v", values);
    }

    @TearDown
    public void close() {
        convolution.close();
        attention.close();
        running.close();
    }

    @Benchmark
    public Map<String, float[]> convolution() {
        return convolution.run(picture, CompiledGraph.Progress.NONE);
    }

    @Benchmark
    public Map<String, float[]> attention() {
        return attention.run(packed, CompiledGraph.Progress.NONE);
    }

    private static final class RandomWeights implements WeightSource {
        @Override
        public List<Integer> shape(String tensor) {
            return tensor.equals("conv.weight") ? List.of(320, 320, 3, 3) : List.of(320);
        }

        @Override
        public void read(String tensor, FloatBuffer target) {
            Random random = new Random(2);
            while (target.hasRemaining()) {
                target.put((float) random.nextGaussian() * 0.02f);
            }
        }

        @Override
        public void readRange(String tensor, long begin, FloatBuffer target) {
            read(tensor, target);
        }
    }
}
