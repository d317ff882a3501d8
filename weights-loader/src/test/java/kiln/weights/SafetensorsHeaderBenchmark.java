package kiln.weights;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The header of a model with as many tensors as SD 1.x has. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SafetensorsHeaderBenchmark {
    private static final int TENSORS = 1131;
    private static final int TENSOR_BYTES = 320 * 320 * 2;

    private final byte[] header = IntStream.range(0, TENSORS)
            .mapToObj(i -> TestFiles.entry("model.diffusion_model.input_blocks.1.1.transformer_blocks." + i + ".attn1.to_q.weight",
                    DType.F16, "[320,320]", (long) i * TENSOR_BYTES, (long) (i + 1) * TENSOR_BYTES))
            .collect(Collectors.joining(",", "{", "}"))
            .getBytes(StandardCharsets.UTF_8);

    @Benchmark
    public Object header() throws IOException {
        return SafetensorsReader.read(Path.of("model.safetensors"), header, 8 + header.length, (long) TENSORS * TENSOR_BYTES);
    }
}
