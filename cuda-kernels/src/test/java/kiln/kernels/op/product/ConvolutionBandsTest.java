package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.emulator.DeviceMemory;
import kiln.kernels.emulator.Dim3;
import kiln.kernels.emulator.PtxEmulator;
import kiln.kernels.emulator.PtxModule;
import kiln.kernels.op.Arithmetic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A map computed band by band, each from the rows that it needs and no others, against the whole. */
class ConvolutionBandsTest {
    private static final int HEIGHT = 11;
    private static final int WIDTH = 5;
    private static final int CHANNELS = 16;
    private static final int OUT_CHANNELS = 8;
    private static final long SEED = 4;

    static Stream<Convolution> kernels() {
        Tile tensor = Tile.mediumTensor(Arithmetic.MMA16);
        return Stream.of(
                new Convolution(DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, Convolution.Window.SAME),
                new Convolution(DataType.F16, tensor, true, Epilogue.BIAS, Convolution.Window.SAME),
                new Convolution(DataType.F16, Tile.mediumPatch(Arithmetic.MMA16), true, Epilogue.BIAS, Convolution.Window.SAME),
                new Convolution(DataType.F16, tensor, true, Epilogue.BIAS, Convolution.Window.DOUBLED),
                new Convolution(DataType.F16, tensor, true, Epilogue.BIAS, new Convolution.Window(3, 2, 1, false)),
                new Convolution(DataType.F16, tensor, true, Epilogue.BIAS, new Convolution.Window(3, 2, 0, false)),
                new Convolution(DataType.F16, tensor, true, Epilogue.BIAS, new Convolution.Window(1, 1, 0, false)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("kernels")
    void bandsEqualTheWholeToTheBit(Convolution kernel) {
        Convolution.Shape shape = shape(kernel);
        Random random = new Random(SEED);
        byte[] picture = values(random, HEIGHT * WIDTH * CHANNELS);
        int windows = kernel.window().upsample() ? Doubling.PARITIES * Doubling.TAPS : kernel.window().size() * kernel.window().size();
        byte[] weights = values(random, OUT_CHANNELS * windows * CHANNELS);
        byte[] bias = values(random, OUT_CHANNELS);
        byte[] whole = run(kernel, shape, Convolution.Band.whole(shape), picture, weights, bias);
        int outRowBytes = shape.outWidth() * OUT_CHANNELS * 2;
        int inRowBytes = WIDTH * CHANNELS * 2;
        for (int row = 0; row < shape.outHeight(); ) {
            int rows = Math.min((1 + random.nextInt(4)) * (kernel.window().upsample() ? 2 : 1), shape.outHeight() - row);
            Convolution.Band band = kernel.band(shape, row, rows);
            byte[] part = Arrays.copyOfRange(picture, band.inFirstRow() * inRowBytes, (band.inFirstRow() + band.inRows()) * inRowBytes);
            assertThat(run(kernel, shape, band, part, weights, bias))
                    .as("%s, seed %d", band, SEED)
                    .isEqualTo(Arrays.copyOfRange(whole, row * outRowBytes, (row + rows) * outRowBytes));
            row += rows;
        }
    }

    @Test
    void aBandNamesTheRowsThatItNeeds() {
        Convolution plain = new Convolution(DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, Convolution.Window.SAME);
        assertThat(plain.band(shape(plain), 0, 4)).isEqualTo(new Convolution.Band(0, 4, 0, 5));
        assertThat(plain.band(shape(plain), 4, 7)).isEqualTo(new Convolution.Band(4, 7, 3, 8));
        Convolution doubling = new Convolution(DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, Convolution.Window.DOUBLED);
        assertThat(doubling.band(shape(doubling), 4, 4)).isEqualTo(new Convolution.Band(4, 4, 1, 4));
        Convolution halving = new Convolution(DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, new Convolution.Window(3, 2, 0, false));
        assertThat(halving.band(shape(halving), 2, 2)).isEqualTo(new Convolution.Band(2, 2, 4, 5));
    }

    @Test
    void aBufferWithoutTheHaloIsRefused() {
        Convolution kernel = new Convolution(DataType.F16, Tile.MEDIUM, true, Epilogue.BIAS, Convolution.Window.SAME);
        Convolution.Band band = new Convolution.Band(4, 3, 4, 3);
        ProductOperands operands = new ProductOperands(0, OnLoad.Factors.NONE, 0, 0, 0, 0, 0, List.of());
        assertThatThrownBy(() -> kernel.call(operands, shape(kernel), band))
                .hasMessageContaining("needed Band[firstRow=4, rows=3, inFirstRow=3, inRows=5]");
    }

    private static Convolution.Shape shape(Convolution kernel) {
        int scale = kernel.window().upsample() ? 2 : 1;
        int padding = kernel.window().size() == 1 ? 0 : Math.max(1, 2 * kernel.window().padBefore());
        int outHeight = (HEIGHT * scale + padding - kernel.window().size()) / kernel.window().stride() + 1;
        int outWidth = (WIDTH * scale + padding - kernel.window().size()) / kernel.window().stride() + 1;
        return new Convolution.Shape(1, HEIGHT, WIDTH, CHANNELS, outHeight, outWidth, OUT_CHANNELS);
    }

    private static byte[] values(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return DataType.F16.encode(values);
    }

    private static byte[] run(Convolution kernel, Convolution.Shape shape, Convolution.Band band, byte[] picture, byte[] weights, byte[] bias) {
        DeviceMemory memory = new DeviceMemory(1 << 20);
        int outBytes = shape.ofBand(band).rows() * OUT_CHANNELS * 2;
        long out = memory.allocate(outBytes);
        ProductOperands operands = new ProductOperands(
                write(memory, picture), OnLoad.Factors.NONE, write(memory, weights), 0, out, 0, write(memory, bias), List.of());
        KernelCall call = kernel.call(operands, shape, band);
        Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
        PtxModule module = PtxModule.parse(kernel.ptx());
        new PtxEmulator(memory).launch(module, kernel.name(), grid, Dim3.of(kernel.threads()), 0, call.arguments().toArray());
        return memory.readBytes(out, outBytes);
    }

    private static long write(DeviceMemory memory, byte[] bytes) {
        long address = memory.allocate(bytes.length);
        memory.write(address, bytes);
        return address;
    }
}
