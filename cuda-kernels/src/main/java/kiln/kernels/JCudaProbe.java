package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** The part of the probe that touches JCuda's classes. */
final class JCudaProbe {
    private JCudaProbe() {}

    static CudaDevices probe(Path driverLibrary, Path nativesFolder, String driverVersion) throws IOException {
        JCudaLibrary.load(driverLibrary, nativesFolder);
        int status = JCudaDriver.cuInit(0);
        if (status != CUresult.CUDA_SUCCESS) {
            return CudaDevices.none(driverVersion, DriverStart.failure(CUresult.stringFor(status), System.getenv(DeviceChoice.VISIBLE_DEVICES)));
        }
        int[] number = new int[1];
        JCudaLibrary.check(JCudaDriver.cuDriverGetVersion(number), "asking for the driver's version");
        String cudaVersion = number[0] / 1000 + "." + number[0] % 1000 / 10;
        if (JCudaLibrary.deviceCount() == 0) {
            return new CudaDevices(List.of(), driverVersion, cudaVersion, "the CUDA driver finds no device");
        }
        return new CudaDevices(JCudaSeam.allDevices(), driverVersion, cudaVersion, null);
    }
}
