package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaDevicesTest {
    @TempDir
    private Path folder;

    @Test
    void theProbeAnswersWithDevicesOrWithAReason() {
        CudaDevices found = CudaDevices.probe(folder.resolve("natives"));
        if (found.devices().isEmpty()) {
            assertThat(found.reason()).isNotBlank().doesNotContain("\n");
        } else {
            assertThat(found.reason()).isNull();
            assertThat(found.devices()).allSatisfy(device -> assertThat(device.totalBytes()).isPositive());
        }
    }

    @Test
    void theDriverIsFoundInLdLibraryPathFirst() throws IOException {
        Path fake = Files.writeString(folder.resolve(SystemLibraries.DRIVER), "");
        assertThat(SystemLibraries.find(SystemLibraries.DRIVER, "/nowhere::" + folder)).isEqualTo(fake);
    }

    @Test
    void theDriverIsFoundInTheLinkersCache() throws IOException {
        Path fake = Files.writeString(folder.resolve(SystemLibraries.DRIVER), "");
        Path cache = folder.resolve("cache");
        Files.writeString(cache, "glibc\0\u0001\u00ff/gone/libcuda.so.1\0" + fake + "\0libz.so.1\0", StandardCharsets.ISO_8859_1);
        assertThat(SystemLibraries.inLinkerCache(SystemLibraries.DRIVER, cache)).isEqualTo(fake);
        assertThat(SystemLibraries.inLinkerCache(SystemLibraries.DRIVER, folder.resolve("missing"))).isNull();
    }

    @Test
    void theModulesVersionIsReadFromBothOfItsForms() {
        assertThat(SystemLibraries.moduleVersion("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: 12.2\n"))
                .isEqualTo("535.104.05");
        assertThat(SystemLibraries.moduleVersion("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n"))
                .isEqualTo("570.86.15");
        assertThat(SystemLibraries.moduleVersion("something else")).isNull();
    }

    @Test
    void nativesAreUnpackedForThisUserAloneAndADamagedCopyIsReplaced() throws IOException {
        Path natives = folder.resolve("a/natives");
        Path library = NativeUnpacking.unpack("/lib/libJCudaDriver-12.6.0-linux-x86_64.so", natives);
        long size = Files.size(library);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(natives))).isEqualTo("rwx------");
        Files.write(library, new byte[10]);
        NativeUnpacking.unpack("/lib/libJCudaDriver-12.6.0-linux-x86_64.so", natives);
        assertThat(library).hasSize(size);
        try (var files = Files.list(natives)) {
            assertThat(files).containsExactly(library);
        }
    }

    @Test
    void aDriverThatDoesNotStartIsExplained() {
        assertThat(DriverStart.failure("CUDA_ERROR_NO_DEVICE", null)).contains("CUDA_ERROR_NO_DEVICE: there is no NVIDIA card");
        assertThat(DriverStart.failure("CUDA_ERROR_NO_DEVICE", "GPU-123")).contains("CUDA_VISIBLE_DEVICES=GPU-123 names no card that is here");
        assertThat(DriverStart.failure("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", null)).contains("restart the machine");
        assertThat(DriverStart.failure("CUDA_ERROR_NOT_PERMITTED", null)).endsWith("does not start: CUDA_ERROR_NOT_PERMITTED");
    }

    @Test
    void aLibraryThatIsMissingOrDoesNotLoadHasAProblemOfOneLine() {
        assertThat(SystemLibrary.load("libnothing.so.12", null)).isEqualTo(new SystemLibrary("libnothing.so.12", null, "not found"));
        SystemLibrary library = SystemLibrary.load("libgone.so.1", folder.resolve("libgone.so.1"));
        assertThat(library.loads()).isFalse();
        assertThat(library.problem()).startsWith("does not load: ").doesNotContain("\n");
    }

    @Test
    void aLibraryThatLoadsHasNoProblem() {
        String name = "libm.so.6";
        Path library = SystemLibraries.find(name);
        assumeThat(library).as("a library that every Linux with glibc has").isNotNull();
        assertThat(SystemLibrary.load(name)).isEqualTo(new SystemLibrary(name, library, null));
    }
}
