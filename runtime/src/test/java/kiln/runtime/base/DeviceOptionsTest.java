package kiln.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class DeviceOptionsTest {
    @Test
    void aBuilderStartsFromTheOptionsThatItCameFrom() {
        DeviceOptions options = DeviceOptions.builder().device("1").memory(MemoryMode.LOWVRAM).weights(WeightFormat.INT8).build();
        assertThat(options.toBuilder().build()).isEqualTo(options).isNotEqualTo(DeviceOptions.DEFAULT);
        assertThat(options.toBuilder().device(null).memory(MemoryMode.AUTO).weights(WeightFormat.F16).build()).isEqualTo(DeviceOptions.DEFAULT);
    }

    @Test
    void onlyAllPartsOnTheCpuLeaveNothingToTheCard() {
        assertThat(DeviceOptions.builder().cpuParts(EnumSet.of(NetworkPart.UNET, NetworkPart.VAE)).build().isCpuOnly()).isFalse();
        assertThat(DeviceOptions.builder().cpuParts(EnumSet.allOf(NetworkPart.class)).build().isCpuOnly()).isTrue();
    }

    @Test
    void sizesAreNotNegativeAndADeviceHasAName() {
        assertThatThrownBy(() -> DeviceOptions.builder().vramBudgetBytes(-1).build()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceOptions.builder().vramHeadroomBytes(-1).build()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceOptions.builder().device(" ").build()).isInstanceOf(IllegalArgumentException.class);
    }
}
