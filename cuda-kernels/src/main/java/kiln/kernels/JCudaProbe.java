package kiln.kernels;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** The part of the probe that touches JCuda's classes: nothing else may, on a machine without a driver. */
final class JCudaProbe {
    private static final String NATIVE = "/lib/libJCudaDriver-12.6.0-linux-x86_64.so";
    private static final int NAME_BYTES = 256;

    private JCudaProbe() {}

    static CudaDevices probe(Path driverLibrary, Path nativesFolder, String driverVersion) throws IOException {
        load(driverLibrary, nativesFolder);
        int status = JCudaDriver.cuInit(0);
        if (status != CUresult.CUDA_SUCCESS) {
            return CudaDevices.none(driverVersion, "the CUDA driver does not start: " + CUresult.stringFor(status));
        }
        int[] number = new int[1];
        check(JCudaDriver.cuDriverGetVersion(number), "cuDriverGetVersion");
        String cudaVersion = number[0] / 1000 + "." + number[0] % 1000 / 10;
        check(JCudaDriver.cuDeviceGetCount(number), "cuDeviceGetCount");
        if (number[0] == 0) {
            return new CudaDevices(List.of(), driverVersion, cudaVersion, "the CUDA driver finds no device");
        }
        List<CudaDevices.Device> devices = new ArrayList<>();
        for (int i = 0; i < number[0]; i++) {
            devices.add(device(i));
        }
        return new CudaDevices(devices, driverVersion, cudaVersion, null);
    }

    private static CudaDevices.Device device(int index) {
        CUdevice device = new CUdevice();
        check(JCudaDriver.cuDeviceGet(device, index), "cuDeviceGet");
        byte[] name = new byte[NAME_BYTES];
        check(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
        long[] total = new long[1];
        check(JCudaDriver.cuDeviceTotalMem(total, device), "cuDeviceTotalMem");
        return new CudaDevices.Device(
                index,
                untilZero(name),
                total[0],
                freeBytes(device),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
    }

    private static String untilZero(byte[] text) {
        int length = 0;
        while (length < text.length && text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    /** Only a context can be asked. A card that is full or reserved by another process refuses one: then it is unknown. */
    private static long freeBytes(CUdevice device) {
        CUcontext context = new CUcontext();
        if (JCudaDriver.cuCtxCreate(context, 0, device) != CUresult.CUDA_SUCCESS) {
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

    private static void check(int status, String call) {
        if (status != CUresult.CUDA_SUCCESS) {
            throw new IllegalStateException(call + " failed: " + CUresult.stringFor(status));
        }
    }

    /**
     * Loads the driver, which the linker may not know, and initialises JCuda with the temporary folder set to the private one: that is
     * where its loader looks for its library first, and it has no other setting.
     */
    private static synchronized void load(Path driverLibrary, Path nativesFolder) throws IOException {
        Path unpacked = NativeUnpacking.unpack(NATIVE, nativesFolder.toAbsolutePath());
        System.load(driverLibrary.toString());
        String property = "java.io.tmpdir";
        String before = System.getProperty(property);
        System.setProperty(property, unpacked.getParent().toString());
        try {
            JCudaDriver.setExceptionsEnabled(false);
        } finally {
            System.setProperty(property, before);
        }
    }
}
