package kiln.kernels.emulator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import kiln.kernels.SharedMemoryLimits;

/**
 * What the stand-in {@code libcuda.so.1} (libcuda.c, beside this class) calls: the emulated cards' memory and kernels. It checks handles and sizes itself. Errors
 * are the driver's numbers, negated; what went wrong is said on the error stream as well, as a real driver would not say it at all.
 *
 * <p>The cards are described by environment variables: {@code EMULATED_DEVICES} (default 1), {@code EMULATED_VRAM_MB} (default 2048),
 * {@code EMULATED_CONTEXT_MB} (what a context takes of it, default 0), {@code EMULATED_CAPABILITY} ("8.6" or "86"; the last three may be lists, "2048,8192", with
 * one for each card), {@code EMULATED_CHECKS} ("all": also watch for uninitialised reads and races, which takes twice as long).
 */
final class StandInCard {
    private static final int INVALID_VALUE = -1;
    private static final int OUT_OF_MEMORY = -2;
    private static final int INVALID_PTX = -218;
    private static final int LAUNCH_FAILED = -719;
    private static final int UNKNOWN = -999;

    private record Card(EmulatedCard card, DeviceMemory memory, PtxEmulator emulator) {}

    private static final List<Card> CARDS = new ArrayList<>();
    private static final Map<Long, PtxModule> MODULES = new ConcurrentHashMap<>();
    private static final AtomicLong LAST_MODULE = new AtomicLong();
    private static volatile String problem = "";

    private StandInCard() {}

    static List<EmulatedCard> cards(Map<String, String> environment) {
        int count = Integer.parseInt(environment.getOrDefault("EMULATED_DEVICES", "1"));
        boolean watch = environment.getOrDefault("EMULATED_CHECKS", "").equals("all");
        List<EmulatedCard> cards = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long megabytes = Long.parseLong(nth(environment, "EMULATED_VRAM_MB", "2048", i));
            long contextMegabytes = Long.parseLong(nth(environment, "EMULATED_CONTEXT_MB", "0", i));
            String capability = nth(environment, "EMULATED_CAPABILITY", "8.6", i).replace(".", "");
            cards.add(EmulatedCard.ofBytes(megabytes << 20)
                    .withContextBytes(contextMegabytes << 20)
                    .withCapability(Integer.parseInt(capability))
                    .withChecks(watch ? EmulatorChecks.ALL : EmulatorChecks.NONE)
                    .withJavaThreads(Runtime.getRuntime().availableProcessors()));
        }
        return cards;
    }

    private static String nth(Map<String, String> environment, String name, String otherwise, int index) {
        String[] values = environment.getOrDefault(name, otherwise).split(",");
        return values[Math.min(index, values.length - 1)].strip();
    }

    static DeviceMemory memory(int device) {
        return CARDS.get(device).memory;
    }

    private interface Action {
        long run();
    }

    /** The number for what the action throws. */
    private static long guarded(Action action) {
        try {
            return action.run();
        } catch (DeviceMemory.OutOfMemory e) {
            return OUT_OF_MEMORY;
        } catch (OutOfMemoryError e) {
            return failed(OUT_OF_MEMORY, "Java's heap, which holds the emulated card's memory, is too small: KILN_JAVA_OPTS=-Xmx… sets it");
        } catch (PtxException e) {
            return failed(INVALID_PTX, e.getMessage());
        } catch (KernelFault e) {
            return failed(LAUNCH_FAILED, e.getMessage());
        } catch (DeviceMemory.BadAddress | IllegalArgumentException e) {
            return failed(INVALID_VALUE, e.getMessage());
        } catch (RuntimeException e) {
            return failed(UNKNOWN, e.toString());
        }
    }

    private static long failed(int number, String message) {
        problem = message;
        System.err.println("emulated card: " + message);
        return number;
    }

    // Called by libcuda.c.

    static long start() {
        return guarded(() -> {
            for (EmulatedCard card : cards(System.getenv())) {
                DeviceMemory memory = new DeviceMemory(card.totalBytes() - card.contextBytes());
                CARDS.add(new Card(card, memory, new PtxEmulator(memory, card.checks(), card.javaThreads())));
            }
            return CARDS.size();
        });
    }

    static String name(long device) {
        return CARDS.get((int) device).card.name();
    }

    static String problem(long ignored) {
        return problem;
    }

    static long totalBytes(int device) {
        return CARDS.get(device).card.totalBytes();
    }

    static long freeBytes(int device) {
        return CARDS.get(device).memory.freeBytes();
    }

    /** CUdevice_attribute; those of a card of that capability, as far as anybody asks. */
    static long attribute(int attribute, int device) {
        EmulatedCard card = CARDS.get(device).card;
        int capability = card.major() * 10 + card.minor();
        return switch (attribute) {
            case 1, 2, 3 -> 1024; // threads of a block, and along x and y
            case 4 -> 64; // along z
            case 5 -> Integer.MAX_VALUE; // blocks along x
            case 6, 7 -> 65535; // along y and z
            case 8 -> SharedMemoryLimits.STATIC_BYTES;
            case 10 -> 32; // threads of a warp
            case 12, 82 -> 64 << 10; // registers
            case 13, 36 -> 1_000_000; // kilohertz of the card and its memory
            case 16 -> EmulatedCard.MULTIPROCESSORS;
            case 19, 31, 41 -> 1; // maps host memory, runs kernels at the same time, one address space
            case 37 -> 128; // bits of the memory's bus
            case 38 -> 1 << 20; // level 2 cache
            case 39 -> 1024; // threads of a multiprocessor
            case 40 -> 2; // copy engines
            case 75 -> card.major();
            case 76 -> card.minor();
            case 81, 97 -> SharedMemoryLimits.ofBlock(capability);
            default -> 0;
        };
    }

    static long allocate(int device, long bytes) {
        return guarded(() -> {
            DeviceMemory memory = CARDS.get(device).memory;
            if (bytes < 0 || bytes > memory.freeBytes()) {
                return OUT_OF_MEMORY;
            }
            return memory.allocate(bytes);
        });
    }

    static long free(int device, long address) {
        return guarded(() -> {
            CARDS.get(device).memory.free(address);
            return 0;
        });
    }

    static long write(int device, long address, ByteBuffer host) {
        return guarded(() -> {
            CARDS.get(device).memory.write(address, host, 0, host.capacity());
            return 0;
        });
    }

    static long read(int device, long address, ByteBuffer host) {
        return guarded(() -> {
            CARDS.get(device).memory.read(address, host, 0, host.capacity());
            return 0;
        });
    }

    static long copy(int device, long target, long source, long bytes) {
        return guarded(() -> {
            CARDS.get(device).memory.copy(target, source, bytes);
            return 0;
        });
    }

    /** @param width bytes of the value, 1 or 4 */
    static long fill(int device, long address, int value, int width, long count) {
        return guarded(() -> {
            DeviceMemory memory = CARDS.get(device).memory;
            if (width == 1) {
                memory.fill(address, count, (byte) value);
            } else {
                memory.fillInts(address, (int) count, value);
            }
            return 0;
        });
    }

    /** The module's number. */
    static long load(int device, byte[] ptx) {
        return guarded(() -> {
            EmulatedCard card = CARDS.get(device).card;
            PtxModule module = ModuleCache.parse(new String(ptx, StandardCharsets.UTF_8));
            int capability = card.major() * 10 + card.minor();
            if (module.targetCapability() > capability) {
                return failed(INVALID_PTX, "the text is for " + module.target() + ", the card is sm_" + capability);
            }
            long number = LAST_MODULE.incrementAndGet();
            MODULES.put(number, module);
            return number;
        });
    }

    static long unload(long module) {
        MODULES.remove(module);
        return 0;
    }

    /** Static shared bytes, largest block, bytes of all parameters, then offset and bytes of each; null if there is no such entry. */
    static int[] describe(long number, String entry) {
        PtxModule module = MODULES.get(number);
        if (!module.hasKernel(entry)) {
            return null;
        }
        PtxKernel kernel = module.kernel(entry);
        int[] described = new int[3 + 2 * kernel.parameters().size()];
        described[0] = kernel.staticSharedBytes();
        described[1] = kernel.maximumThreads();
        described[2] = kernel.parameterBytes();
        int at = 3;
        for (PtxKernel.Parameter parameter : kernel.parameters()) {
            described[at++] = parameter.offset();
            described[at++] = parameter.bytes();
        }
        return described;
    }

    static long launch(
            int device, long module, String entry, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int shared, byte[] parameters) {
        return guarded(() -> {
            Dim3 grid = new Dim3(gridX, gridY, gridZ);
            Dim3 block = new Dim3(blockX, blockY, blockZ);
            CARDS.get(device).emulator.launchPacked(MODULES.get(module), entry, grid, block, shared, parameters);
            return 0;
        });
    }
}
