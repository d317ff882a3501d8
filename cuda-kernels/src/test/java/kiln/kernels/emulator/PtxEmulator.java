package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * Runs kernels of parsed PTX on a {@link DeviceMemory}, with no card. A launch returns when the whole grid is done. Blocks run one after another in order,
 * the same way every time, unless several Java threads are asked for. What a kernel does wrong is a {@link KernelFault}. One launch at a time.
 */
public final class PtxEmulator {
    private static final int MAXIMUM_SHARED_BYTES = 227 * 1024;
    private static final ExecutorService HELPERS = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "emulated blocks");
        thread.setDaemon(true);
        return thread;
    });

    private final DeviceMemory memory;
    private final EmulatorChecks checks;
    private final int javaThreads;
    private final Map<PtxModule, Map<String, Long>> loaded = new WeakHashMap<>();

    /** All checks, one Java thread. */
    public PtxEmulator(DeviceMemory memory) {
        this(memory, EmulatorChecks.ALL, 1);
    }

    public PtxEmulator(DeviceMemory memory, EmulatorChecks checks, int javaThreads) {
        if (javaThreads < 1) {
            throw new IllegalArgumentException("emulator: " + javaThreads + " Java threads; at least 1 is needed");
        }
        this.memory = memory;
        this.checks = checks;
        this.javaThreads = javaThreads;
    }

    /**
     * Launches with arguments in the order of the parameters: Long for a pointer, else Integer, Short, Byte, Float, Double, or the bytes of a structure.
     */
    public void launch(PtxModule module, String entry, Dim3 grid, Dim3 block, int dynamicSharedBytes, Object... arguments) {
        PtxKernel kernel = module.kernel(entry);
        launchPacked(module, entry, grid, block, dynamicSharedBytes, pack(kernel, arguments));
    }

    /** Launches with the parameter block as the driver lays it out ({@link PtxKernel#parameters()}). */
    public void launchPacked(PtxModule module, String entry, Dim3 grid, Dim3 block, int dynamicSharedBytes, byte[] parameters) {
        PtxKernel kernel = module.kernel(entry);
        if (parameters.length != kernel.parameterBytes) {
            throw new IllegalArgumentException("kernel " + entry + ": its parameters take " + kernel.parameterBytes + " bytes, got " + parameters.length);
        }
        if (grid.x() < 1 || grid.y() < 1 || grid.z() < 1 || grid.y() > 65535 || grid.z() > 65535) {
            throw new IllegalArgumentException("kernel " + entry + ": grid " + grid + " is not within (1..,1..65535,1..65535)");
        }
        if (block.x() < 1 || block.y() < 1 || block.z() < 1 || block.z() > 64 || block.count() > kernel.maximumThreads) {
            throw new IllegalArgumentException("kernel " + entry + ": block " + block + " has not 1 to " + kernel.maximumThreads + " threads");
        }
        Launch launch = new Launch(memory, kernel, grid, block, dynamicSharedBytes, parameters, checks, load(module));
        if (dynamicSharedBytes < 0 || launch.sharedBytes > MAXIMUM_SHARED_BYTES) {
            throw new IllegalArgumentException("kernel " + entry + ": " + launch.sharedBytes + " bytes of shared memory; a card has at most "
                    + MAXIMUM_SHARED_BYTES);
        }
        long blocks = grid.count();
        int workers = (int) Math.min(javaThreads, blocks);
        if (workers == 1) {
            ThreadBlock runner = new ThreadBlock(launch);
            for (long i = 0; i < blocks; i++) {
                runner.run(grid.at(i));
            }
        } else {
            runInParallel(launch, blocks, workers);
        }
    }

    private static void runInParallel(Launch launch, long blocks, int workers) {
        AtomicLong next = new AtomicLong();
        Runnable work = () -> {
            try {
                ThreadBlock runner = new ThreadBlock(launch);
                for (long number = next.getAndIncrement(); number < blocks; number = next.getAndIncrement()) {
                    runner.run(launch.grid.at(number));
                }
            } finally {
                next.set(blocks);
            }
        };
        List<Future<?>> others = new ArrayList<>();
        for (int i = 1; i < workers; i++) {
            others.add(HELPERS.submit(work));
        }
        RuntimeException failure = null;
        try {
            work.run();
        } catch (RuntimeException e) {
            failure = e;
        }
        for (Future<?> other : others) {
            RuntimeException thrown = await(other);
            failure = failure == null ? thrown : failure;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** What another thread of a launch threw, or null. An interrupt waits as well: memory must not change behind the caller's back. */
    private static RuntimeException await(Future<?> other) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    other.get();
                    return null;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return e.getCause() instanceof RuntimeException thrown ? thrown : new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Address of a module's global or constant variable in this emulator's memory; the module is loaded if it is not yet. */
    public long addressOf(PtxModule module, String variable) {
        Long address = load(module).get(variable);
        if (address == null) {
            throw new IllegalArgumentException("module: no global variable " + variable + "; it has " + load(module).keySet());
        }
        return address;
    }

    private synchronized Map<String, Long> load(PtxModule module) {
        return loaded.computeIfAbsent(module, m -> m.variables().stream().collect(Collectors.toMap(Variable::name, variable -> {
            long address = memory.allocate(variable.bytes());
            memory.fill(address, variable.bytes(), (byte) 0);
            if (variable.contents() != null) {
                memory.write(address, variable.contents());
            }
            return address;
        })));
    }

    /** Arguments as {@link #launchPacked} takes them. */
    static byte[] pack(PtxKernel kernel, Object[] arguments) {
        if (arguments.length != kernel.parameters.size()) {
            throw new IllegalArgumentException("kernel " + kernel.name + ": takes " + kernel.parameters.size() + " arguments, got " + arguments.length);
        }
        byte[] packed = new byte[kernel.parameterBytes];
        for (int i = 0; i < arguments.length; i++) {
            PtxKernel.Parameter parameter = kernel.parameters.get(i);
            byte[] bytes = bytes(arguments[i]);
            if (bytes.length != parameter.bytes()) {
                throw new IllegalArgumentException("kernel " + kernel.name + ": parameter " + parameter.name() + " has " + parameter.bytes()
                        + " bytes, got " + bytes.length + " (" + arguments[i].getClass().getSimpleName() + ")");
            }
            System.arraycopy(bytes, 0, packed, parameter.offset(), bytes.length);
        }
        return packed;
    }

    private static byte[] bytes(Object argument) {
        if (argument instanceof byte[] given) {
            return given;
        }
        long bits;
        int count;
        if (argument instanceof Long value) {
            bits = value;
            count = 8;
        } else if (argument instanceof Integer value) {
            bits = value;
            count = 4;
        } else if (argument instanceof Short value) {
            bits = value;
            count = 2;
        } else if (argument instanceof Byte value) {
            bits = value;
            count = 1;
        } else if (argument instanceof Float value) {
            bits = Float.floatToRawIntBits(value);
            count = 4;
        } else if (argument instanceof Double value) {
            bits = Double.doubleToRawLongBits(value);
            count = 8;
        } else {
            throw new IllegalArgumentException("no kernel argument: " + argument);
        }
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (bits >>> 8 * i);
        }
        return bytes;
    }
}
