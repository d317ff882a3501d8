package kiln.kernels;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.CUuuid;
import jcuda.driver.JCudaDriver;

/** Loads JCuda's driver binding. With the classes that use it, the only one that touches JCuda: nothing may without a driver. */
final class JCudaLibrary {
    private static final String NATIVE = "/lib/libJCudaDriver-12.6.0-linux-x86_64.so";
    private static final int NAME_BYTES = 256;
    private static final int FIRST_CUDA_WITH_UUIDS = 9020;

    private JCudaLibrary() {}

    /**
     * Loads the driver, which the linker may not know, and initialises JCuda with the temporary folder set to the private one: that is
     * where its loader looks for its library first, and it has no other setting. A second call does nothing new.
     */
    static synchronized void load(Path driverLibrary, Path nativesFolder) throws IOException {
        Path unpacked = NativeUnpacking.unpack(NATIVE, nativesFolder.toAbsolutePath());
        System.load(driverLibrary.toString());
        withTemporaryFolder(unpacked.getParent(), () -> JCudaDriver.setExceptionsEnabled(false));
    }

    /** Runs what loads a class of JCuda while Java's temporary folder is another one. */
    static synchronized void withTemporaryFolder(Path folder, Runnable action) {
        String property = "java.io.tmpdir";
        String before = System.getProperty(property);
        System.setProperty(property, folder.toString());
        try {
            action.run();
        } finally {
            System.setProperty(property, before);
        }
    }

    /** @param doing as {@link CudaException} takes it */
    static void check(int status, String doing) {
        if (status != CUresult.CUDA_SUCCESS) {
            throw new CudaException(CUresult.stringFor(status), doing);
        }
    }

    static int deviceCount() {
        int[] count = new int[1];
        check(JCudaDriver.cuDeviceGetCount(count), "counting devices");
        return count[0];
    }

    static CUdevice handle(int index) {
        CUdevice device = new CUdevice();
        check(JCudaDriver.cuDeviceGet(device, index), "looking for device " + index);
        return device;
    }

    static CudaDevices.Device describe(int index, long freeBytes) {
        CUdevice device = handle(index);
        byte[] name = new byte[NAME_BYTES];
        check(JCudaDriver.cuDeviceGetName(name, name.length, device), "asking for a device's name");
        long[] total = new long[1];
        check(JCudaDriver.cuDeviceTotalMem(total, device), "asking for a device's memory");
        return new CudaDevices.Device(
                index,
                untilZero(name),
                uuid(device),
                total[0],
                freeBytes,
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
    }

    /** {@code null} where the driver does not have the call: there, merely binding it would end the process. */
    private static String uuid(CUdevice device) {
        int[] version = new int[1];
        check(JCudaDriver.cuDriverGetVersion(version), "asking for the driver's version");
        if (version[0] < FIRST_CUDA_WITH_UUIDS) {
            return null;
        }
        CUuuid uuid = new CUuuid();
        check(JCudaDriver.cuDeviceGetUuid(uuid, device), "asking for a device's UUID");
        ByteBuffer bytes = ByteBuffer.wrap(uuid.bytes);
        return "GPU-" + new UUID(bytes.getLong(), bytes.getLong());
    }

    private static String untilZero(byte[] text) {
        int length = 0;
        while (length < text.length && text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "asking for a device's properties");
        return value[0];
    }

    /** Only a context can be asked. A card that is full or reserved by another process refuses one: then it is unknown. */
    static long freeBytes(int index) {
        CUcontext context = new CUcontext();
        if (JCudaDriver.cuCtxCreate(context, 0, handle(index)) != CUresult.CUDA_SUCCESS) {
            return -1;
        }
        try {
            long[] free = new long[1];
            long[] total = new long[1];
            return JCudaDriver.cuMemGetInfo(free, total) == CUresult.CUDA_SUCCESS ? free[0] : -1;
        } finally {
            JCudaDriver.cuCtxDestroy(context);
        }
    }
}
