package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kiln.runtime.image.PictureGrid.Caption;
import kiln.runtime.image.PictureGrid.Colours;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureGridTest {
    private static Picture plain(int width, int height, int grey) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) grey);
        return new Picture(width, height, rgb);
    }

    /** By webui.md 7.7; Python's round is half to even: 6.25 pictures would be 2 rows. */
    @ParameterizedTest
    @CsvSource({
        "4,1,-1,false,2", "6,1,-1,false,2", "7,1,-1,false,3", "2,1,-1,false,1", "5,1,-1,false,2", "5,1,-1,true,1", "12,1,-1,true,3",
        "6,2,0,false,2", "8,2,3,false,3", "2,1,5,false,2", "1,1,-1,true,1",
    })
    void rowsAreA1111s(int count, int batchSize, int asked, boolean noEmptyPlaces, int rows) {
        assertThat(PictureGrid.rows(count, batchSize, asked, noEmptyPlaces)).isEqualTo(rows);
    }

    @Test
    void smallerPicturesStandInTheMiddleOfTheirPlace() {
        Picture grid = PictureGrid.of(
                List.of(plain(8, 8, 10), plain(4, 6, 20), plain(8, 8, 30)), 2, new Colours(0x102030, 0, 0));
        assertThat(List.of(grid.width(), grid.height())).containsExactly(16, 16);
        assertThat(grid.pixel(0, 0)).isEqualTo(0x0a0a0a);
        assertThat(grid.pixel(8, 0)).isEqualTo(0x102030);
        assertThat(grid.pixel(10, 1)).isEqualTo(0x141414);
        assertThat(grid.pixel(13, 6)).isEqualTo(0x141414);
        assertThat(grid.pixel(14, 6)).isEqualTo(0x102030);
        assertThat(grid.pixel(0, 8)).isEqualTo(0x1e1e1e);
        assertThat(grid.pixel(8, 8)).isEqualTo(0x102030);
    }

    @Test
    void marginsAndCaptionsMakeRoom() {
        List<Picture> cells = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            cells.add(plain(100, 100, 100 + i));
        }
        List<List<Caption>> columns = List.of(List.of(new Caption("Steps: 1", true)), List.of(new Caption("Steps: 2", true)));
        List<List<Caption>> rows = List.of(List.of(new Caption("red", true)), List.of(new Caption("red", false)));
        Picture grid = PictureGrid.captioned(cells, 2, columns, rows, 10, Colours.USUAL);
        // Letters of (100 + 100) / 25 pixels in one line, and as much around them; 3/4 of a picture beside.
        assertThat(List.of(grid.width(), grid.height())).containsExactly(75 + 210, 16 + 210);
        assertThat(grid.pixel(75, 16)).isEqualTo(0x646464);
        assertThat(grid.pixel(75 + 110, 16 + 110)).isEqualTo(0x676767);
        assertThat(grid.pixel(75 + 105, 50)).isEqualTo(0xffffff);
        assertThat(darkest(grid, 75, 0, 175, 16)).as("a caption above").isLessThan(0x60);
        assertThat(darkest(grid, 0, 16, 75, 116)).as("a caption beside").isLessThan(0x60);
        // What is struck through is grey.
        assertThat(darkest(grid, 0, 126, 75, 226)).as("a caption that does not hold").isBetween(0x90, 0xa0);
        assertThat(darkest(grid, 0, 0, 75, 16)).isEqualTo(0xff);
    }

    @Test
    void longCaptionsAreWrappedAndLongWordsMadeSmaller() {
        CaptionFont font = CaptionFont.load();
        assertThat(font.wrap("one two three four", 10, (int) font.width("one two", 10) + 1)).containsExactly("one two", "three", "four");
        List<List<Caption>> columns = List.of(List.of(new Caption("Überlänge".repeat(20) + " ж 猫", true)));
        Picture grid = PictureGrid.captioned(List.of(plain(64, 64, 100)), 1, columns, List.of(), 0, Colours.USUAL);
        assertThat(grid.width()).isEqualTo(64);
        assertThat(grid.height()).isGreaterThan(64 + 5);
    }

    @Test
    void emptyCaptionsTakeNoRoom() {
        Picture grid = PictureGrid.captioned(
                List.of(plain(8, 8, 1)), 1, List.of(List.of(new Caption("", true))), List.of(List.of(new Caption("", true))), 0, Colours.USUAL);
        assertThat(List.of(grid.width(), grid.height())).containsExactly(8, 8);
    }

    private static int darkest(Picture picture, int left, int top, int right, int bottom) {
        int darkest = 255;
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                darkest = Math.min(darkest, picture.pixel(x, y) & 255);
            }
        }
        return darkest;
    }
}
