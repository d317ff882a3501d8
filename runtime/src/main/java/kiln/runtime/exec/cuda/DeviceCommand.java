package kiln.runtime.exec.cuda;

import java.util.List;
import java.util.function.LongUnaryOperator;
import kiln.kernels.KernelCall;

/** Something that is queued on the stream that computes. Addresses are symbols ({@link Address}) until the command is bound. */
sealed interface DeviceCommand {
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
}
