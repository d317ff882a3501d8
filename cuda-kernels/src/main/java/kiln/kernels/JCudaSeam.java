package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.JCudaDriver;

/** {@link CudaDriver} on JCuda. */
final class JCudaSeam implements CudaDriver {
    private final Path nativesFolder;

    private JCudaSeam(Path nativesFolder) {
        this.nativesFolder = nativesFolder;
    }

    static CudaDriver load(Path driverLibrary, Path nativesFolder) throws IOException {
        JCudaLibrary.load(driverLibrary, nativesFolder);
        JCudaLibrary.check(JCudaDriver.cuInit(0), "starting the CUDA driver");
        return new JCudaSeam(nativesFolder);
    }

    static List<CudaDevices.Device> allDevices() {
        List<CudaDevices.Device> devices = new ArrayList<>();
        int count = JCudaLibrary.deviceCount();
        for (int i = 0; i < count; i++) {
            devices.add(JCudaLibrary.describe(i, JCudaLibrary.freeBytes(i)));
        }
        return devices;
    }

    @Override
    public List<CudaDevices.Device> devices() {
        return allDevices();
    }

    @Override
    public CudaContext open(int device) {
        return new JCudaContext(device, nativesFolder);
    }
}
