package kiln.kernels.emulator;

import java.util.Arrays;
import kiln.kernels.Cublas;
import kiln.kernels.Cudnn;
import kiln.kernels.DataType;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.Tile;

/** What cuBLAS and cuDNN compute, by the references of Kiln's own kernels, on the emulated card's memory. */
final class LibraryArithmetic {
    private LibraryArithmetic() {}

    static void multiply(DeviceMemory memory, EmulatorChecks checks, Cublas.Product product, long a, long weights, long out) {
        DataType type = product.type();
        float[] left = read(memory, checks, type, a, (long) product.rows() * product.channels(), product.label());
        float[] right = read(memory, checks, type, weights, (long) product.columns() * product.channels(), product.label());
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(
                product.rows(), product.columns(), product.channels(), product.channels(), product.columns());
        float[] result = new MatrixMultiply(type, Tile.SMALL, false, Epilogue.NONE)
                .reference(left, right, null, sizes, Epilogue.Values.NONE);
        memory.write(out, type.encode(result));
    }

    static void convolve(
            DeviceMemory memory, EmulatorChecks checks, Cudnn.Convolution convolution, long in, long weights, long out, long work, long workBytes) {
        DataType type = convolution.type();
        Convolution.Shape shape = new Convolution.Shape(
                convolution.batch(),
                convolution.height(),
                convolution.width(),
                convolution.inChannels(),
                convolution.outHeight(),
                convolution.outWidth(),
                convolution.outChannels());
        long pixels = (long) convolution.batch() * convolution.height() * convolution.width();
        long taps = (long) convolution.size() * convolution.size();
        float[] picture = read(memory, checks, type, in, pixels * convolution.inChannels(), convolution.label());
        float[] filter = read(memory, checks, type, weights, taps * convolution.inChannels() * convolution.outChannels(), convolution.label());
        Convolution.Window window = new Convolution.Window(convolution.size(), convolution.stride(), convolution.padding(), false);
        float[] result = new Convolution(type, Tile.SMALL, false, Epilogue.NONE, window)
                .reference(picture, filter, null, shape, Convolution.Band.whole(shape), Epilogue.Values.NONE);
        if (workBytes > 0) {
            // Whoever keeps something there finds it gone.
            byte[] noise = new byte[Math.toIntExact(workBytes)];
            Arrays.fill(noise, (byte) 0x5a);
            memory.write(work, noise);
        }
        memory.write(out, type.encode(result));
    }

    private static float[] read(DeviceMemory memory, EmulatorChecks checks, DataType type, long address, long elements, String label) {
        byte[] bytes = new byte[Math.toIntExact(elements * type.bytes())];
        if (checks.uninitialisedReads() && !memory.isInitialised(address, bytes.length)) {
            throw new KernelFault(label + ": reads " + bytes.length + " bytes at " + DeviceMemory.hex(address) + ", of which some were never written");
        }
        memory.read(address, bytes);
        return type.decode(bytes);
    }
}
