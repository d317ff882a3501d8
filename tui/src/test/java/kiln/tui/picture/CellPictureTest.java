package kiln.tui.picture;

import static org.assertj.core.api.Assertions.assertThat;

import kiln.runtime.image.Picture;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import org.junit.jupiter.api.Test;

class CellPictureTest {
    private static Picture picture(int width, int height, int... pixels) {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++) {
            for (int c = 0; c < 3; c++) {
                rgb[3 * i + c] = (byte) (pixels[i % pixels.length] >> 16 - 8 * c);
            }
        }
        return new Picture(width, height, rgb);
    }

    @Test
    void cellShowsTwoPixels() {
        Canvas canvas = new Canvas(2, 1);
        Picture picture = picture(2, 2, 0xff0000, 0x00ff00, 0x0000ff, 0xffffff);
        new CellPicture().draw(canvas, 0, 0, 2, 1, picture, 2, 2, true);
        assertThat(canvas.toString()).isEqualTo("▀▀\n");
        assertThat(canvas.styleAt(0, 0)).isEqualTo(new Style(0xff0000, 0x0000ff, 0));
        assertThat(canvas.styleAt(1, 0)).isEqualTo(new Style(0x00ff00, 0xffffff, 0));
    }

    @Test
    void pictureKeepsItsAspectInTheMiddle() {
        Canvas canvas = new Canvas(12, 4);
        new CellPicture().draw(canvas, 0, 0, 12, 4, picture(16, 16, 0x808080), 16, 16, true);
        assertThat(canvas.toString()).isEqualTo(("  " + "▀".repeat(8) + "\n").repeat(4));
    }

    @Test
    void withoutColourTextShadesShowIt() {
        Canvas canvas = new Canvas(4, 1);
        new CellPicture().draw(canvas, 0, 0, 4, 1, picture(4, 2, 0, 0x555555, 0xaaaaaa, 0xffffff), 4, 2, false);
        assertThat(canvas.toString()).isEqualTo(" -*@\n".replace("*", Character.toString(canvas.textAt(2, 0).charAt(0))));
        assertThat(canvas.textAt(3, 0)).isEqualTo("@");
    }

    @Test
    void shrinkingTakesTheMeanOfTheArea() {
        Picture small = Scaler.scale(picture(6, 6, 0x000000, 0xffffff), 2, 2);
        for (int y = 0; y < 2; y++) {
            for (int x = 0; x < 2; x++) {
                // Of three columns in a row, one or two are white.
                assertThat(small.pixel(x, y) & 255).isIn(85, 170);
            }
        }
        Picture one = Scaler.scale(picture(3, 5, 0x102030), 1, 1);
        assertThat(one.pixel(0, 0)).isEqualTo(0x102030);
    }

    @Test
    void growingRepeatsPixels() {
        Picture large = Scaler.scale(picture(2, 1, 0x0000ff, 0xff0000), 4, 2);
        assertThat(large.pixel(0, 0)).isEqualTo(0x0000ff);
        assertThat(large.pixel(1, 1)).isEqualTo(0x0000ff);
        assertThat(large.pixel(2, 1)).isEqualTo(0xff0000);
    }
}
