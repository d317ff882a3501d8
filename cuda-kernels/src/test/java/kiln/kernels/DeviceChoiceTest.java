package kiln.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceChoiceTest {
    private static final CudaDevices.Device OLD = device(0, "GeForce GTX 780", "GPU-00000000-0000-0000-0000-000000000000", 9000, 3);
    private static final CudaDevices.Device SMALL = device(1, "GeForce GT 1030", "GPU-8a56a4bc-e184-a047-2620-be19fdf913d5", 1900, 6);
    private static final CudaDevices.Device LARGE = device(2, "GeForce RTX 3060", "GPU-8a7fb4bc-1111-2222-3333-444444444444", 11000, 8);
    private static final CudaDevices.Device FULL = device(3, "GeForce RTX 3060", "GPU-ffffffff-1111-2222-3333-444444444444", -1, 8);

    private static CudaDevices.Device device(int index, String name, String uuid, long freeBytes, int major) {
        return new CudaDevices.Device(index, name, uuid, 12_000, freeBytes, major, 0);
    }

    private static DeviceChoice choose(String wanted, String visible, CudaDevices.Device... devices) {
        return DeviceChoice.among(new CudaDevices(List.of(devices), "550.54.14", "12.4", null), wanted, visible);
    }

    @Test
    void withoutAWishTheDeviceWithTheMostFreeMemoryIsTaken() {
        DeviceChoice choice = choose(null, null, SMALL, LARGE, FULL);
        assertThat(choice.device()).isEqualTo(LARGE);
        assertThat(choice.reason()).isEqualTo("it has the most free memory");
        assertThat(choose(null, null, FULL).device()).as("unknown memory is better than no device").isEqualTo(FULL);
    }

    @Test
    void ofEquallyFreeDevicesTheDriversFirstIsTaken() {
        CudaDevices.Device twin = device(4, "GeForce RTX 3060", "GPU-1", LARGE.freeBytes(), 8);
        assertThat(choose(null, null, twin, LARGE).device()).isEqualTo(LARGE);
    }

    @Test
    void aDeviceThatIsTooOldIsPassedOverAndRefusedByName() {
        DeviceChoice choice = choose(null, null, OLD, SMALL);
        assertThat(choice.device()).isEqualTo(SMALL);
        assertThat(choice.reason()).contains("the only one that Kiln's kernels run on");
        assertThat(choose("0", null, OLD, SMALL).device()).isNull();
        assertThat(choose("0", null, OLD, SMALL).reason())
                .isEqualTo("device 0 (GeForce GTX 780) has compute capability 3.0, Kiln needs 5.0");
        assertThat(choose(null, null, OLD).reason()).contains("no device has compute capability 5.0").contains("GeForce GTX 780");
    }

    @Test
    void anIndexIsTheDriversOwn() {
        assertThat(choose("1", null, SMALL, LARGE).device()).isEqualTo(SMALL);
        assertThat(choose("2", null, SMALL, LARGE).reason()).isEqualTo("it was asked for by index");
    }

    @Test
    void aUuidMayBeCutAndWrittenInCapitalsButMustBeOneDevices() {
        assertThat(choose("GPU-8a56", null, SMALL, LARGE).device()).isEqualTo(SMALL);
        assertThat(choose("gpu-8A7F", null, SMALL, LARGE).device()).isEqualTo(LARGE);
        DeviceChoice ambiguous = choose("GPU-8a", null, SMALL, LARGE);
        assertThat(ambiguous.device()).isNull();
        assertThat(ambiguous.reason()).contains("2 devices have a UUID GPU-8a…").contains(SMALL.uuid()).contains(LARGE.uuid());
    }

    @Test
    void aDeviceThatIsNotThereIsNamedWithThoseThatAre() {
        assertThat(choose("7", null, SMALL).reason())
                .isEqualTo("no device has the index 7: 1 (GeForce GT 1030, GPU-8a56a4bc-e184-a047-2620-be19fdf913d5)");
        DeviceChoice hidden = choose("GPU-8a7f", "1", SMALL);
        assertThat(hidden.device()).isNull();
        assertThat(hidden.reason()).startsWith("no device has the UUID GPU-8a7f among those that CUDA_VISIBLE_DEVICES=1 shows: 1 (GeForce GT 1030");
        CudaDevices.Device nameless = new CudaDevices.Device(0, "GeForce GTX 960", null, 2000, 1800, 5, 2);
        assertThat(choose("GPU-8", null, nameless).reason()).endsWith("0 (GeForce GTX 960, UUID unknown)");
    }

    @Test
    void whereThereIsNoDeviceTheDriversReasonIsGiven() {
        DeviceChoice choice = DeviceChoice.among(CudaDevices.none(null, "no NVIDIA driver"), "0", null);
        assertThat(choice).isEqualTo(new DeviceChoice(null, "no NVIDIA driver"));
    }

    @Test
    void otherTextsAreNoDevices() {
        for (String text : new String[] {"", "cuda:0", "-1", "GPU", "GPU-xyz", "1.0", "99999999999"}) {
            assertThat(DeviceChoice.isIndexOrUuid(text)).as(text).isFalse();
            assertThatThrownBy(() -> choose(text, null, SMALL)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(DeviceChoice.isIndexOrUuid("GPU-8a56a4bc-e184-a047-2620-be19fdf913d5")).isTrue();
    }
}
