package kiln.kernels.emulator;

import java.util.List;
import java.util.OptionalLong;
import kiln.kernels.Cublas;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.Cudnn;

/** cuBLAS and cuDNN of an emulated card: each call is one piece of queued work, counted as the launch of "cublas" or "cudnn". */
final class EmulatedLibraries {
    /** So that work memory is asked for and overwritten. */
    private static final long WORK_BYTES_OF_A_CHANNEL = 64;

    private EmulatedLibraries() {}

    static final class Products implements Cublas {
        private final EmulatedContext context;

        Products(EmulatedContext context) {
            this.context = context;
        }

        @Override
        public String version() {
            return "12.0.0";
        }

        @Override
        public void multiply(Product product, long a, long weights, long out, Stream stream) {
            context.queue("cublas", product.label(), List.of(a, weights, out), stream, (memory, checks) ->
                    LibraryArithmetic.multiply(memory, checks, product, a, weights, out));
        }

        @Override
        public void close() {
            context.libraryClosed("cublas");
        }
    }

    static final class Convolutions implements Cudnn {
        private final EmulatedContext context;

        Convolutions(EmulatedContext context) {
            this.context = context;
        }

        @Override
        public String version() {
            return "8.0.0";
        }

        /** It refuses pictures of one channel, as something has to be refused. */
        @Override
        public OptionalLong workBytes(Convolution convolution) {
            return convolution.inChannels() == 1
                    ? OptionalLong.empty()
                    : OptionalLong.of(convolution.inChannels() * WORK_BYTES_OF_A_CHANNEL);
        }

        @Override
        public void convolve(Convolution convolution, long in, long weights, long out, long work, Stream stream) {
            long workBytes = workBytes(convolution).orElseThrow();
            context.queue("cudnn", convolution.label(), List.of(in, weights, out, work), stream, (memory, checks) ->
                    LibraryArithmetic.convolve(memory, checks, convolution, in, weights, out, work, workBytes));
        }

        @Override
        public void close() {
            context.libraryClosed("cudnn");
        }
    }
}
