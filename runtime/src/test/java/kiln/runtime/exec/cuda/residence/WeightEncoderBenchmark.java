package kiln.runtime.exec.cuda.residence;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import kiln.kernels.DataType;
import kiln.kernels.HalfFloats;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceWeight;
import kiln.runtime.exec.cuda.program.DeviceWeight.Layout;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Weight;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Megabytes (of 10⁶ bytes) a second from a file in the system's cache to a buffer of 8 MiB: SD 1.5's largest convolution, 29 MB in 16 bits. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
public class WeightEncoderBenchmark {
    private static final List<Integer> SHAPE = List.of(1280, 1280, 3, 3);
    private static final int ELEMENTS = 1280 * 1280 * 9;
    /** Megabytes of the block, as JMH counts operations. */
    private static final int MEGABYTES = 29;

    @Param({"PLAIN", "CONVOLUTION", "GEGLU"})
    public String layout;

    /** Through 32-bit floats, as what is stored in another format. */
    @Param({"false", "true"})
    public boolean widened;

    private final ByteBuffer staging = ByteBuffer.allocateDirect(8 << 20).order(ByteOrder.LITTLE_ENDIAN);
    private Path path;
    private ModelFiles file;
    private WeightSource source;
    private DeviceWeight weight;

    @Setup
    public void write() throws IOException {
        byte[] header = ("{\"w\":{\"dtype\":\"F16\",\"shape\":" + SHAPE + ",\"data_offsets\":[0," + 2 * ELEMENTS + "]}}").getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length + 2 * ELEMENTS).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        Random random = new Random(1);
        while (bytes.hasRemaining()) {
            bytes.putShort(HalfFloats.toHalf((float) random.nextGaussian() * 0.02f));
        }
        path = Files.write(Files.createTempFile("weights", ".safetensors"), bytes.array());
        file = ModelFiles.open(path);
        source = widened ? new Widened(file) : file;
        weight = new DeviceWeight(new Weight(List.of("w"), SHAPE), Layout.valueOf(layout), DataType.F16);
    }

    @TearDown
    public void delete() throws IOException {
        file.close();
        Files.delete(path);
    }

    @Benchmark
    @OperationsPerInvocation(MEGABYTES)
    public ByteBuffer megabyte() {
        WeightEncoder encoder = new WeightEncoder(source, weight);
        for (long at = 0; at < weight.bytes(); at += staging.position()) {
            encoder.write(at, staging.clear().limit((int) Math.min(staging.capacity(), weight.bytes() - at)));
        }
        return staging;
    }

    private record Widened(ModelFiles file) implements WeightSource {
        @Override
        public List<Integer> shape(String tensor) {
            return file.shape(tensor);
        }

        @Override
        public void read(String tensor, FloatBuffer target) {
            file.read(tensor, target);
        }

        @Override
        public void readRange(String tensor, long begin, FloatBuffer target) {
            file.readRange(tensor, begin, target);
        }
    }
}
