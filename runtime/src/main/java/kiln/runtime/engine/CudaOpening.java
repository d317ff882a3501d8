package kiln.runtime.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaDriver;
import kiln.kernels.CudaException;
import kiln.kernels.DeviceChoice;
import kiln.kernels.SystemLibraries;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.cuda.CudaDevice;
import kiln.runtime.exec.cuda.CudaExecutor;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.exec.cuda.residence.HostMemory;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.plan.ResidencyPlan;

/** From the user's options to a card. */
public final class CudaOpening {
    /** Of the host's available memory, what weights may be kept ready in: pinned pages are lost to everything else. */
    private static final double PINNED_SHARE = 0.4;

    private CudaOpening() {}

    /** Whether a card is to be looked for: there is a driver, and not all is to be computed by the CPU. */
    public static boolean isWanted(EngineOptions options) {
        return !options.device().isCpuOnly() && SystemLibraries.find(SystemLibraries.DRIVER) != null;
    }

    /** What {@code auto} means with the card that is here, {@code null} when none is used. */
    static String explain(EngineOptions options, Path natives) {
        if (!isWanted(options)) {
            return null;
        }
        try {
            DeviceChoice choice = choose(CudaDriver.load(natives), options);
            if (choice.device() != null) {
                return "CUDA on " + choice.device().label() + ": " + choice.reason();
            }
            // A card that was asked for and is not there is an error, not a reason to take the CPU.
            return options.device().device() == null ? null : "nothing: " + choice.reason();
        } catch (IOException | CudaException e) {
            return null;
        }
    }

    /** A card that was opened and what the options want of it. Whoever has it closes the context. */
    public record Card(CudaContext context, CudaSettings settings) {}

    /** @throws KilnException DEVICE or OUT_OF_MEMORY when no card can be used, and why */
    static Device open(EngineOptions options, Path natives, Consumer<String> notices) {
        return open(driver(natives), options, notices);
    }

    /** @throws KilnException as {@link #open} */
    static Card openCard(EngineOptions options, Path natives) {
        try {
            Opened opened = openDevice(driver(natives), options);
            try {
                return new Card(opened.context(), settings(options, opened.before(), opened.context()));
            } catch (CudaException e) {
                opened.context().close();
                throw e;
            }
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    private static CudaDriver driver(Path natives) {
        try {
            return CudaDriver.load(natives);
        } catch (IOException e) {
            throw new KilnException(Category.DEVICE, e.getMessage(), e);
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    static Device open(CudaDriver driver, EngineOptions options, Consumer<String> notices) {
        try {
            Opened opened = openDevice(driver, options);
            CudaDevice card = card(opened, options, notices);
            Set<NetworkPart> onCpu = options.device().cpuParts();
            return onCpu.isEmpty() ? card : new RoutedDevice(card, new CpuDevice(options), NetworkNames.of(onCpu));
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    private static CudaDevice card(Opened opened, EngineOptions options, Consumer<String> notices) {
        CudaContext context = opened.context();
        DeviceLibraries libraries;
        try {
            libraries = libraries(context, options, notices);
        } catch (CudaException e) {
            context.close();
            throw e;
        }
        long contextBytes;
        try {
            // With the libraries, which take memory as well.
            contextBytes = contextBytes(opened.before(), context);
        } catch (CudaException e) {
            try (context; libraries) {
                throw e;
            }
        }
        return new CudaDevice(context, libraries, card -> settings(options, contextBytes, card));
    }

    /** @param before as the driver showed it then */
    private record Opened(CudaDevices.Device before, CudaContext context) {}

    private static Opened openDevice(CudaDriver driver, EngineOptions options) {
        DeviceChoice choice = choose(driver, options);
        if (choice.device() == null) {
            throw new KilnException(Category.DEVICE, choice.reason());
        }
        return new Opened(choice.device(), driver.open(choice.device().index()));
    }

    private static DeviceLibraries libraries(CudaContext context, EngineOptions options, Consumer<String> notices) {
        ProductTimes times = ProductTimes.read(ProductTimes.file(options.cacheFolder(), context.device()));
        return DeviceLibraries.open(context, options.device().gemm(), options.device().convolution(), times, notices);
    }

    public static DeviceChoice choose(CudaDriver driver, EngineOptions options) {
        List<CudaDevices.Device> devices = driver.devices();
        CudaDevices found = new CudaDevices(devices, null, null, devices.isEmpty() ? "the driver shows no device" : null);
        return DeviceChoice.among(found, options.device().device(), System.getenv(DeviceChoice.VISIBLE_DEVICES));
    }

    /** What a context that has just been opened takes of the card. */
    private static long contextBytes(CudaDevices.Device before, CudaContext context) {
        // A driver that already had a context tells of no difference; what is free is in no case the context's.
        CudaContext.MemoryInfo memory = context.memoryInfo();
        long taken = Math.max(ResidencyPlan.ASSUMED_CONTEXT_BYTES, before.freeBytes() - memory.freeBytes());
        return Math.min(taken, memory.totalBytes() - memory.freeBytes());
    }

    /** For a context that has just been opened. */
    public static CudaSettings settings(EngineOptions options, CudaDevices.Device before, CudaContext context) {
        return settings(options, contextBytes(before, context), context);
    }

    private static CudaSettings settings(EngineOptions options, long contextBytes, CudaContext context) {
        DeviceOptions device = options.device();
        MemoryBudget budget = new MemoryBudget(device.vramBudgetBytes(), device.vramHeadroomBytes(), contextBytes);
        return CudaSettings.of(
                device,
                options.precision() == Precision.F32,
                budget,
                budget.room(context.memoryInfo().freeBytes()),
                (long) (HostMemory.availableBytes().orElse(0) * PINNED_SHARE));
    }
}
