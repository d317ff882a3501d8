package kiln.kernels;

import java.util.List;
import java.util.Objects;

/**
 * A kernel with the arguments and the number of blocks of one launch.
 *
 * @param arguments in the order of the entry's parameters: {@link Long} for addresses, {@link Integer} and {@link Float}
 */
public record KernelCall(Kernel kernel, int gridX, int gridY, int gridZ, List<Object> arguments) {
    private static final int LARGEST_GRID_YZ = 65535;

    public KernelCall {
        Objects.requireNonNull(kernel, "kernel");
        arguments = List.copyOf(arguments);
        if (gridX < 1 || gridY < 1 || gridZ < 1 || gridY > LARGEST_GRID_YZ || gridZ > LARGEST_GRID_YZ) {
            throw new IllegalArgumentException(kernel.name() + ": grid " + gridX + "x" + gridY + "x" + gridZ);
        }
        for (Object argument : arguments) {
            if (!(argument instanceof Long || argument instanceof Integer || argument instanceof Float)) {
                throw new IllegalArgumentException(kernel.name() + ": argument " + argument + " is no Long, Integer or Float");
            }
        }
    }

    public KernelCall(Kernel kernel, int gridX, Object... arguments) {
        this(kernel, gridX, 1, 1, List.of(arguments));
    }
}
