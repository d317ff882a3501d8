package kiln.tui.cli.reports;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaDevices;
import kiln.kernels.DeviceChoice;
import kiln.runtime.check.CardFindings;
import kiln.runtime.check.LibraryFinding;
import org.junit.jupiter.api.Test;

class GpuReportTest {
    private static final CudaDevices TWO = new CudaDevices(
            List.of(
                    new CudaDevices.Device(0, "NVIDIA GeForce GT 1030", "GPU-8a56a4bc-e184-a047-2620-be19fdf913d5", 2L << 30, 1900L << 20, 6, 1),
                    new CudaDevices.Device(1, "NVIDIA GeForce GTX 950", null, 2L << 30, -1, 5, 2)),
            "550.54.14",
            "12.4",
            null);
    private static final List<LibraryFinding> LIBRARIES = List.of(
            new LibraryFinding("libcublas.so.12", Path.of("/opt/libcublas.so.12"), "12.6.4", null, "matrix products: cuBLAS, as asked for"),
            new LibraryFinding(
                    "libcudnn.so.8",
                    Path.of("/opt/libcudnn.so.8"),
                    null,
                    "does not load: libcudnn_ops_infer.so.8: not there",
                    "convolutions: Kiln's own kernels"));

    private static GpuReport report(CudaDevices found, String wanted, String visible) {
        Map<String, String> variables = visible == null ? Map.of() : Map.of(CardFindings.VISIBLE_DEVICES, visible);
        DeviceChoice choice = DeviceChoice.among(found, wanted, visible);
        return new GpuReport(new CardFindings(
                found.devices().stream().map(GpuReportTest::card).toList(),
                found.driverVersion(),
                found.cudaVersion(),
                found.reason(),
                choice.device() == null ? null : card(choice.device()),
                choice.reason(),
                variables,
                LIBRARIES));
    }

    private static CardFindings.Card card(CudaDevices.Device device) {
        return new CardFindings.Card(
                device.index(), device.name(), device.uuid(), device.totalBytes(), device.freeBytes(), device.major(), device.minor());
    }

    private static String text(GpuReport report) {
        StringBuilder lines = new StringBuilder();
        report.print((name, text) -> lines.append(name).append("|").append(text).append("\n"));
        return lines.toString();
    }

    private static JsonNode json(GpuReport report) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = new JsonFactory().createGenerator(text)) {
            out.writeStartObject();
            report.write(out);
            out.writeEndObject();
        }
        return new ObjectMapper().readTree(text.toString());
    }

    @Test
    void everyDeviceIsToldAndWhichOneIsUsedAndWhy() {
        assertThat(text(report(TWO, null, null))).isEqualTo("""
                GPU 0|NVIDIA GeForce GT 1030, compute capability 6.1, 1.9 GiB free of 2.0 GiB
                |GPU-8a56a4bc-e184-a047-2620-be19fdf913d5
                |no real card has confirmed its compute capability yet: kiln selftest shows what this one computes
                GPU 1|NVIDIA GeForce GTX 950, compute capability 5.2, free memory unknown of 2.0 GiB
                |UUID unknown
                |no real card has confirmed its compute capability yet: kiln selftest shows what this one computes
                driver|550.54.14, CUDA up to 12.4
                |indices are CUDA's, the fastest first: nvidia-smi may count differently, UUIDs are the same
                GPU chosen|0 (NVIDIA GeForce GT 1030): it has the most free memory
                confirmed|compute capability 9.0 (NVIDIA H200, 2026-11-28); others are emulated and assembled only
                libcublas.so.12|/opt/libcublas.so.12, version 12.6.4
                |matrix products: cuBLAS, as asked for
                libcudnn.so.8|/opt/libcudnn.so.8, does not load: libcudnn_ops_infer.so.8: not there
                |convolutions: Kiln's own kernels
                """);
    }

    @Test
    void aCardWhoseCapabilityARealCardConfirmedIsToldFromOthers() throws IOException {
        CudaDevices.Device hopper = new CudaDevices.Device(0, "NVIDIA H100 PCIe", null, 80L << 30, -1, 9, 0);
        GpuReport report = report(new CudaDevices(List.of(hopper, TWO.devices().get(1)), null, "12.4", null), null, null);
        assertThat(text(report)).containsOnlyOnce("its compute capability was confirmed by a real card");
        JsonNode gpu = json(report).get("gpu");
        assertThat(gpu.get("devices").get(0).get("confirmed").asBoolean()).isTrue();
        assertThat(gpu.get("devices").get(1).get("confirmed").asBoolean()).isFalse();
        assertThat(gpu.get("confirmed").get(0).get("capability").asText()).isEqualTo("9.0");
        assertThat(gpu.get("confirmed").get(0).get("date").asText()).isEqualTo("2026-11-28");
    }

    @Test
    void whatTheEnvironmentHidesIsSaid() {
        assertThat(text(report(TWO, "5", "3,1")))
                .contains("environment|CUDA_VISIBLE_DEVICES=3,1: other devices are hidden, indices count what is left")
                .contains("GPU chosen|none: no device has the index 5 among those that CUDA_VISIBLE_DEVICES=3,1 shows: 0 (");
    }

    @Test
    void withoutACardThereIsOneLineAboutIt() {
        CudaDevices none = new CudaDevices(List.of(), null, null, "no NVIDIA driver: libcuda.so.1 was not found");
        assertThat(text(report(none, null, null))).startsWith("GPU|none: no NVIDIA driver: libcuda.so.1 was not found\nconfirmed|");
    }

    @Test
    void jsonTellsTheSame() throws IOException {
        JsonNode gpu = json(report(TWO, "gpu-8a", "0,1")).get("gpu");
        assertThat(gpu.get("devices").get(0).get("uuid").asText()).isEqualTo("GPU-8a56a4bc-e184-a047-2620-be19fdf913d5");
        assertThat(gpu.get("devices").get(1).get("freeBytes").isNull()).isTrue();
        assertThat(gpu.get("chosen").asInt(-1)).isZero();
        assertThat(gpu.get("choice").asText()).startsWith("it was asked for by UUID");
        assertThat(gpu.get("environment").get("CUDA_VISIBLE_DEVICES").asText()).isEqualTo("0,1");
        assertThat(gpu.get("environment").get("CUDA_DEVICE_ORDER").isNull()).isTrue();
        JsonNode all = json(report(TWO, "9", null));
        assertThat(all.get("gpu").get("chosen").isNull()).isTrue();
        assertThat(all.get("libraries").get("libcudnn.so.8").asText()).isEqualTo("/opt/libcudnn.so.8");
        assertThat(all.get("libraryProblems").get("libcublas.so.12").isNull()).isTrue();
        assertThat(all.get("libraryVersions").get("libcublas.so.12").asText()).isEqualTo("12.6.4");
        assertThat(all.get("libraryUses").get("libcudnn.so.8").asText()).isEqualTo("convolutions: Kiln's own kernels");
    }
}
