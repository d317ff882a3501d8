package kiln.runtime.upscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureResize;
import org.junit.jupiter.api.Test;

class EnlargingTest {
    private static Picture random(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        new Random(5).nextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    private final List<Integer> used = new ArrayList<>();

    private Picture twice(Picture picture, double scale) {
        used.add(picture.width());
        return Enlarging.nearest(picture, 2);
    }

    @Test
    void anUpscalerIsUsedUntilBothSidesAreLongEnough() {
        Picture found = Enlarging.by(random(16, 24), 5, this::twice);
        assertThat(used).containsExactly(16, 32, 64);
        assertThat(found.width()).isEqualTo(80);
        assertThat(found.height()).isEqualTo(120);
    }

    @Test
    void threeTimesAreTheMost() {
        Enlarging.by(random(16, 16), 16, this::twice);
        assertThat(used).hasSize(3);
    }

    @Test
    void aPictureOfItsSizeIsLeftAlone() {
        Picture picture = random(16, 24);
        assertThat(Enlarging.by(picture, 1, this::twice)).isSameAs(picture);
        assertThat(used).isEmpty();
    }

    @Test
    void aSmallerPictureIsUpscaledOnceAllTheSame() {
        Picture picture = random(32, 32);
        Picture found = Enlarging.by(picture, 0.5, this::twice);
        assertThat(used).containsExactly(32);
        assertThat(found).usingRecursiveComparison().isEqualTo(PictureResize.lanczos(Enlarging.nearest(picture, 2), 16, 16));
    }

    @Test
    void anUpscalerThatChangesNothingIsUsedOnce() {
        Picture found = Enlarging.by(random(16, 16), 2, (picture, scale) -> {
            used.add(picture.width());
            return picture;
        });
        assertThat(used).containsExactly(16);
        assertThat(found.width()).isEqualTo(32);
    }

    @Test
    void aSecondPassGetsItsSizeInAnyProportions() {
        Picture found = Enlarging.to(random(16, 24), 40, 24, this::twice);
        assertThat(found.width()).isEqualTo(40);
        assertThat(found.height()).isEqualTo(24);
        assertThat(used).containsExactly(16, 32);
    }

    @Test
    void nearestTakesThePixelInWhichTheMiddleLies() {
        byte[] rgb = {1, 1, 1, 2, 2, 2, 3, 3, 3};
        byte[] larger = Enlarging.nearest(new Picture(3, 1, rgb), 5 / 3.0).rgb();
        assertThat(larger).containsExactly(1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3);
    }

    @Test
    void whatIsSmallerThanItsFrameLiesInTheMiddleOfBlack() {
        Picture framed = Enlarging.cropped(new Picture(1, 1, new byte[] {9, 8, 7}), 3, 3);
        assertThat(framed.pixel(1, 1)).isEqualTo(0x090807);
        assertThat(framed.pixel(0, 1)).isZero();
    }
}
