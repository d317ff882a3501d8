package kiln.weights.pickle;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A state dict's pickle with as many tensors as SD 1.x has. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PickleMachineBenchmark {
    private static final int TENSORS = 1131;

    private final byte[] pickle = pickle();

    private static byte[] pickle() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(bytes, "\u0080\2}q\0(");
        for (int i = 0; i < TENSORS; i++) {
            write(bytes, text("model.diffusion_model.input_blocks.1.1.transformer_blocks." + i + ".attn1.to_q.weight"));
            write(bytes, "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nHalfStorage\n" + text("" + i) + text("cpu")
                    + "J\0\u0090\1\0tQK\0M@\1M@\1\u0086M@\1K\1\u0086\u0089ccollections\nOrderedDict\n)RtR");
        }
        write(bytes, "u.");
        return bytes.toByteArray();
    }

    private static String text(String value) {
        return "X" + (char) value.length() + "\0\0\0" + value;
    }

    private static void write(ByteArrayOutputStream bytes, String latin1) {
        bytes.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Benchmark
    public Object stateDict() throws PickleException {
        return PickleMachine.read(ByteBuffer.wrap(pickle));
    }
}
