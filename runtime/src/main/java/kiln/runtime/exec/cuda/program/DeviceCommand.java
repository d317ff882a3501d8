package kiln.runtime.exec.cuda.program;

import java.util.List;
import java.util.function.LongUnaryOperator;
import kiln.kernels.Cublas;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.Cudnn;
import kiln.kernels.KernelCall;
import kiln.runtime.exec.cuda.library.DeviceLibraries;

/** Something that is queued on a stream. Addresses are symbols ({@link Address}) until the command is bound. */
public sealed interface DeviceCommand {
    /** The streams: copies to the device and back and what is computed go on at the same time. */
    enum Lane {
        COMPUTE,
        TO_DEVICE,
        TO_HOST
    }

    /** The same with its symbols replaced. */
    DeviceCommand bound(LongUnaryOperator places);

    /** Runs a kernel. */
    record Launch(KernelCall call) implements DeviceCommand {
        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            List<Object> arguments = call.arguments().stream()
                    .map(argument -> argument instanceof Long symbol ? (Object) places.applyAsLong(symbol) : argument)
                    .toList();
            return new Launch(new KernelCall(call.kernel(), call.gridX(), call.gridY(), call.gridZ(), arguments));
        }
    }

    /** Something that one of NVIDIA's libraries queues. */
    sealed interface OfLibrary extends DeviceCommand {
        /** What it computes and its sizes. */
        String label();

        /** Of the library that does this. */
        String version(DeviceLibraries libraries);

        /** Has the library do it. The command is bound. */
        void queue(DeviceLibraries libraries, Stream stream);
    }

    /** Has cuBLAS multiply. */
    record LibraryProduct(Cublas.Product product, long a, long weights, long out) implements OfLibrary {
        @Override
        public String label() {
            return product.label();
        }

        @Override
        public String version(DeviceLibraries libraries) {
            return libraries.cublasVersion();
        }

        @Override
        public void queue(DeviceLibraries libraries, Stream stream) {
            libraries.multiply(product, a, weights, out, stream);
        }

        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            return new LibraryProduct(product, places.applyAsLong(a), places.applyAsLong(weights), places.applyAsLong(out));
        }
    }

    /** Has cuDNN convolve. */
    record LibraryConvolution(Cudnn.Convolution convolution, long in, long weights, long out, long work) implements OfLibrary {
        @Override
        public String label() {
            return convolution.label();
        }

        @Override
        public String version(DeviceLibraries libraries) {
            return libraries.cudnnVersion();
        }

        @Override
        public void queue(DeviceLibraries libraries, Stream stream) {
            libraries.convolve(convolution, in, weights, out, work, stream);
        }

        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            return new LibraryConvolution(
                    convolution, places.applyAsLong(in), places.applyAsLong(weights), places.applyAsLong(out), places.applyAsLong(work));
        }
    }

    /** What is queued on one lane from now on waits for all that was queued on another so far. Between programs no lane is ahead of another. */
    record Await(Lane waiting, Lane other) implements DeviceCommand {
        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            return this;
        }
    }

    /** Brings a part of a result from the program's block in pinned memory. */
    record CopyToDevice(long hostOffset, long address, long bytes) implements DeviceCommand {
        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            return new CopyToDevice(hostOffset, places.applyAsLong(address), bytes);
        }
    }

    /** Brings a part of a result to the program's block in pinned memory. */
    record CopyToHost(long address, long hostOffset, long bytes) implements DeviceCommand {
        @Override
        public DeviceCommand bound(LongUnaryOperator places) {
            return new CopyToHost(places.applyAsLong(address), hostOffset, bytes);
        }
    }
}
