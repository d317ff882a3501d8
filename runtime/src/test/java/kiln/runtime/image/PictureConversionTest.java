package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;

class PictureConversionTest {
    @Test
    void valuesAreClampedAndRoundedHalvesToEven() {
        // 0 is 127.5 of 255, exactly half.
        float[] values = {-2, -1, 0, 1, 5, -0.0f, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 2 * (200.4f / 255) - 1};
        byte[] rgb = DecodedPictures.fromInterleaved(values, 0, 1, 3).rgb();
        assertThat(rgb).inHexadecimal().containsExactly(0, 0, 128, 255, 255, 128, 0, 255, 200);
    }

    @Test
    void planesBecomePixels() {
        float[] batch = new float[2 * 3 * 2];
        Arrays.fill(batch, -1);
        batch[6] = 1;
        batch[9] = 1;
        Picture picture = DecodedPictures.fromPlanar(batch, 6, 1, 2);
        assertThat(picture.pixel(0, 0)).isEqualTo(0xff0000);
        assertThat(picture.pixel(1, 0)).isEqualTo(0x00ff00);
        assertThat(DecodedPictures.fromPlanar(batch, 0, 1, 2).pixel(0, 0)).isZero();
        assertThatThrownBy(() -> DecodedPictures.fromPlanar(batch, 7, 1, 2)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsNotANumberIsRefused() {
        assertThatThrownBy(() -> DecodedPictures.fromPlanar(new float[] {0, Float.NaN, 0}, 0, 1, 1))
                .isInstanceOf(KilnException.class).hasMessageContaining("f32");
    }

    @Test
    void previewsMapLatentsLinearly() {
        float[][] single = {{0.25f, 0.125f, 0}, {0.5f, 0.5f, 0.5f}};
        assertThat(new LatentImage(new float[1], 1, 1, single).render().pixel(0, 0)).isEqualTo(0x808080);
        Picture first = new LatentImage(new float[] {1}, 1, 1, single).render();
        assertThat(first.pixel(0, 0)).isEqualTo(191 << 16 | 159 << 8 | 128);
        float[][] own = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {9, 9, -9}, {0, 0, 0.2f}};
        Picture picture = new LatentImage(new float[] {1, 0, 0, 1, 0, 0, 0, -1}, 1, 2, own).render();
        assertThat(picture.pixel(0, 0)).isEqualTo(0xff0033);
        assertThat(picture.pixel(1, 0)).isEqualTo(0x0000ff);
        assertThatThrownBy(() -> new LatentImage(new float[4], 1, 1, new float[4][3])).isInstanceOf(IllegalArgumentException.class);
    }
}
