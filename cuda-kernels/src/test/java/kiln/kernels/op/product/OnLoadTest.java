package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.emulator.DeviceMemory;
import kiln.kernels.emulator.Dim3;
import kiln.kernels.emulator.PtxEmulator;
import kiln.kernels.emulator.PtxModule;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.norm.GroupNormApply;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A product that normalises what it loads, against {@link GroupNormApply} and the plain product. */
class OnLoadTest {
    private static final int POSITIONS = 31;
    private static final int PICTURES = 3;
    private static final int ROWS = POSITIONS * PICTURES;
    private static final int COLUMNS = 12;
    private static final int CHANNELS = 136;
    private static final MatrixMultiply.Sizes SIZES = new MatrixMultiply.Sizes(ROWS, COLUMNS, CHANNELS, CHANNELS, COLUMNS);
    private static final long SEED = 6;

    static Stream<MatrixMultiply> kernels() {
        Tile mma8 = Tile.mediumTensor(Arithmetic.MMA8);
        Tile mma16 = Tile.mediumTensor(Arithmetic.MMA16);
        return Stream.of(OnLoad.AFFINE, OnLoad.AFFINE_SILU).flatMap(onLoad -> Stream.of(
                new MatrixMultiply(DataType.F32, DataType.F32, Tile.MEDIUM, true, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F32, DataType.F16, Tile.MEDIUM, true, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F16, DataType.F16, Tile.TALL, true, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F16, DataType.F16, Tile.SMALL, false, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F16, DataType.F16, mma8, true, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F16, DataType.F16, mma16, true, Epilogue.NONE, false, onLoad),
                new MatrixMultiply(DataType.F16, DataType.I8, mma16, true, Epilogue.NONE, false, onLoad)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void resultsEqualThoseOfTheNormalisedMapToTheBit(MatrixMultiply kernel) {
        Device device = new Device(kernel);
        MatrixMultiply plain = new MatrixMultiply(kernel.type(), kernel.weights(), kernel.tile(), kernel.vector(), Epilogue.NONE);
        GroupNormApply apply = new GroupNormApply(kernel.type(), 1, kernel.onLoad() == OnLoad.AFFINE_SILU);
        long normalised = device.memory.allocate((long) ROWS * CHANNELS * kernel.type().bytes());
        device.run(apply.call(device.a, device.factors, normalised, PICTURES, POSITIONS, CHANNELS));
        byte[] expected = device.result(out -> List.of(
                plain.call(device.operands(normalised, OnLoad.Factors.NONE, out, 0), SIZES, MatrixMultiply.Batch.ONE)));
        OnLoad.Factors factors = new OnLoad.Factors(device.factors, POSITIONS);
        byte[] actual = device.result(out -> List.of(
                kernel.call(device.operands(device.a, factors, out, 0), SIZES, MatrixMultiply.Batch.ONE)));
        assertThat(actual).as("seed %d", SEED).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void someRowsOfAPictureEqualTheWholeToTheBit(MatrixMultiply kernel) {
        Device device = new Device(kernel);
        int parts = kernel.vector() ? 2 : 1;
        MatrixMultiply product = new MatrixMultiply(
                kernel.type(), kernel.weights(), kernel.tile(), kernel.vector(), Epilogue.NONE, parts > 1, kernel.onLoad());
        SplitSum sum = parts == 1 ? null : SplitSum.of(kernel.type(), kernel.weights(), Epilogue.NONE, COLUMNS, COLUMNS);
        MultiplyPlan plan = new MultiplyPlan(product, parts, sum, SIZES);
        long work = device.memory.allocate(Math.max(4, plan.workBytes()));
        OnLoad.Factors all = new OnLoad.Factors(device.factors, POSITIONS);
        byte[] whole = device.result(out -> plan.calls(device.operands(device.a, all, out, work), MatrixMultiply.Batch.ONE, ROWS));
        int first = POSITIONS + 5;
        int rows = POSITIONS - 9;
        int bytes = kernel.type().bytes();
        long a = device.a + (long) first * CHANNELS * bytes;
        // Of the second picture.
        OnLoad.Factors factors = new OnLoad.Factors(device.factors + 2L * CHANNELS * Float.BYTES, POSITIONS);
        byte[] band = device.result(out -> plan.calls(device.operands(a, factors, out, work), MatrixMultiply.Batch.ONE, rows));
        assertThat(Arrays.copyOf(band, rows * COLUMNS * bytes))
                .as("seed %d", SEED)
                .isEqualTo(Arrays.copyOfRange(whole, first * COLUMNS * bytes, (first + rows) * COLUMNS * bytes));
    }

    @Test
    void everyPlanDoesWhatIsAsked() {
        for (OnLoad onLoad : OnLoad.values()) {
            for (int capability : new int[] {50, 75, 86}) {
                assertThat(plan(capability, 64, 4096, onLoad).product().onLoad()).isEqualTo(onLoad);
                assertThat(plan(capability, 4096, 320, onLoad).product().onLoad()).isEqualTo(onLoad);
                assertThat(plan(capability, 77, 3, onLoad).product().onLoad()).as("no vectors").isEqualTo(onLoad);
            }
            assertThat(plan(90, 64, 4096, onLoad).parts()).isGreaterThan(1);
        }
    }

    private static MultiplyPlan plan(int capability, int rows, int channels, OnLoad onLoad) {
        Card card = new Card(capability, 80);
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(rows, 320, channels, channels, 320);
        return MultiplyPlan.choose(DataType.F16, DataType.F16, card, sizes, 1, Epilogue.BIAS, rows, onLoad);
    }

    @Test
    void aProductThatNeedsFactorsIsRefusedWithoutThem() {
        MatrixMultiply kernel = new MatrixMultiply(DataType.F16, DataType.F16, Tile.MEDIUM, true, Epilogue.NONE, false, OnLoad.AFFINE_SILU);
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(64, 64, 64, 64, 64);
        ProductOperands without = new ProductOperands(1, OnLoad.Factors.NONE, 2, 0, 3, 0, 0, List.of());
        assertThatThrownBy(() -> kernel.call(without, sizes, MatrixMultiply.Batch.ONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("gemm f16 64x64x16 vector plain of affine+silu needs the factors of a's channels");
        MatrixMultiply.Batch two = new MatrixMultiply.Batch(2, 4096, 0, 4096);
        ProductOperands with = new ProductOperands(1, new OnLoad.Factors(4, 64), 2, 0, 3, 0, 0, List.of());
        assertThatThrownBy(() -> kernel.call(with, sizes, two))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 matrices");
        assertThatThrownBy(() -> new OnLoad.Factors(4, 0)).hasMessageContaining("0 positions");
    }

    /** A product's operands in emulated memory. */
    private static final class Device {
        final DeviceMemory memory = new DeviceMemory(4 << 20);
        final long a;
        final long factors;
        final long weights;
        final long scales;
        private final int outBytes;

        Device(MatrixMultiply kernel) {
            Random random = new Random(SEED);
            a = write(kernel.type(), values(random, ROWS * CHANNELS, 2));
            factors = write(DataType.F32, values(random, PICTURES * 2 * CHANNELS, 1));
            weights = write(kernel.weights(), values(random, COLUMNS * CHANNELS, kernel.weights() == DataType.I8 ? 40 : 1));
            scales = write(DataType.F32, values(random, COLUMNS, 0.01));
            outBytes = ROWS * COLUMNS * kernel.type().bytes();
        }

        ProductOperands operands(long left, OnLoad.Factors change, long out, long work) {
            return new ProductOperands(left, change, weights, scales, out, work, 0, List.of());
        }

        private static float[] values(Random random, int count, double deviation) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) Math.max(-127, Math.min(127, random.nextGaussian() * deviation));
            }
            return values;
        }

        private long write(DataType type, float[] values) {
            byte[] bytes = type.encode(values);
            long address = memory.allocate(bytes.length);
            memory.write(address, bytes);
            return address;
        }

        void run(KernelCall call) {
            Kernel kernel = call.kernel();
            Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
            new PtxEmulator(memory).launch(
                    PtxModule.parse(kernel.ptx()), kernel.name(), grid, Dim3.of(kernel.threads()), 0, call.arguments().toArray());
        }

        byte[] result(LongFunction<List<KernelCall>> calls) {
            long out = memory.allocate(outBytes);
            // A band leaves the rest as it is.
            memory.write(out, new byte[outBytes]);
            calls.apply(out).forEach(this::run);
            return memory.readBytes(out, outBytes);
        }
    }
}
