package kiln.kernels.emulator;

import java.util.List;
import java.util.concurrent.TimeUnit;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.attention.Attention;
import kiln.kernels.op.attention.AttentionShape;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.ProductOperands;
import kiln.kernels.op.product.Tile;
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
import org.openjdk.jmh.annotations.Warmup;

/** One launch of the demo model's sizes in the emulator: a convolution of 75 MFLOP, self-attention over 256 positions. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 4, time = 2)
@Fork(1)
public class EmulatorBenchmark {
    private static final int BATCH = 2;
    private static final int SIDE = 16;
    private static final int CHANNELS = 64;
    private static final int HEADS = 8;

    @Param({"convolution 86", "convolution 75", "convolution 50", "attention 50"})
    public String kernel;

    @Param({"true", "false"})
    public boolean checks;

    private PtxEmulator emulator;
    private PtxModule module;
    private KernelCall call;

    @Setup
    public void prepare() {
        DeviceMemory memory = new DeviceMemory(1 << 26);
        emulator = new PtxEmulator(memory, checks ? EmulatorChecks.ALL : EmulatorChecks.NONE, 1);
        int elements = BATCH * SIDE * SIDE * CHANNELS;
        long[] addresses = new long[4];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = memory.allocate(4L * elements);
            memory.fill(addresses[i], 4L * elements, (byte) 0x2c);
        }
        int capability = Integer.parseInt(kernel.substring(kernel.length() - 2));
        if (kernel.startsWith("convolution")) {
            Convolution.Shape shape = new Convolution.Shape(BATCH, SIDE, SIDE, CHANNELS, SIDE, SIDE, CHANNELS);
            Tile tile = capability < 75 ? Tile.MEDIUM : Tile.mediumPatch(capability < 80 ? Arithmetic.MMA8 : Arithmetic.MMA16);
            ProductOperands operands = new ProductOperands(
                    addresses[0], OnLoad.Factors.NONE, addresses[1], 0, addresses[2], 0, addresses[3], List.of());
            call = new Convolution(DataType.F16, tile, true, Epilogue.BIAS, Convolution.Window.SAME)
                    .call(operands, shape, Convolution.Band.whole(shape));
        } else {
            int headSize = CHANNELS / HEADS;
            AttentionShape shape =
                    new AttentionShape(BATCH, HEADS, SIDE * SIDE, SIDE * SIDE, CHANNELS, CHANNELS, CHANNELS, CHANNELS);
            call = new Attention(DataType.F16, headSize, false, true).call(addresses[0], addresses[1], addresses[2], addresses[3], shape, 0.35f);
        }
        module = PtxModule.parse(call.kernel().ptx());
    }

    @Benchmark
    public void launch() {
        Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
        emulator.launch(module, call.kernel().name(), grid, Dim3.of(call.kernel().threads()), 0, call.arguments().toArray());
    }
}
