package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Masks, fills and overlays against Pillow and OpenCV (oracle/inpaint_golden.py), to the bit. */
class InpaintPicturesTest {
    private static JsonNode golden;
    private static int width;
    private static int height;
    private static Picture picture;
    private static GreyPicture block;

    @BeforeAll
    static void read() throws IOException {
        try (InputStream in = InpaintPicturesTest.class.getResourceAsStream("inpaint.json")) {
            golden = new ObjectMapper().readTree(in);
        }
        width = golden.get("width").asInt();
        height = golden.get("height").asInt();
        picture = new Picture(width, height, bytes(golden.get("rgb")));
        block = new GreyPicture(width, height, bytes(golden.get("block")));
    }

    @Test
    void brightnessIsPillows() {
        GreyPicture grey = GreyPicture.luminance(picture);
        assertThat(grey.values()).isEqualTo(bytes(golden.get("luminance")));
        assertThat(GreyPicture.luminance(grey.picture())).usingRecursiveComparison().isEqualTo(grey);
    }

    @Test
    void blurredMasksAreOpenCvs() {
        GreyPicture grey = new GreyPicture(width, height, bytes(golden.get("grey")));
        assertThat(golden.get("blurs")).hasSize(5).allSatisfy(vector -> {
            double sigma = vector.get("sigma").asDouble();
            assertThat(GaussianBlur.blurred(grey, sigma).values()).as("noise, %s", sigma).isEqualTo(bytes(vector.get("grey")));
            assertThat(GaussianBlur.blurred(block, sigma).values()).as("a block, %s", sigma).isEqualTo(bytes(vector.get("block")));
        });
    }

    @Test
    void aMaskOfOnePixelIsBlurred() {
        GreyPicture white = new GreyPicture(1, 1, new byte[] {-1});
        assertThat(GaussianBlur.blurred(white, 4).at(0, 0)).isEqualTo(255);
    }

    @Test
    void bicubicPicturesArePillows() {
        assertThat(golden.get("bicubic")).hasSize(2).allSatisfy(vector -> {
            Picture resized = PictureResize.bicubic(picture, vector.get("width").asInt(), vector.get("height").asInt());
            assertThat(resized.rgb()).isEqualTo(bytes(vector.get("rgb")));
        });
    }

    @Test
    void surroundingsFillAMask() {
        assertThat(Layer.filled(picture, block).rgb()).isEqualTo(bytes(golden.get("filled")));
        assertThat(Layer.filled(picture, softBlock()).rgb()).isEqualTo(bytes(golden.get("softlyFilled")));
    }

    @Test
    void theOriginalLiesOverWhatWasDrawn() {
        Picture drawn = new Picture(width, height, bytes(golden.get("drawn")));
        Layer layer = Layer.unmasked(picture, softBlock());
        assertThat(layer.over(drawn).rgb()).isEqualTo(bytes(golden.get("overlaid")));
        Picture part = PictureResize.lanczos(drawn, 15, 11);
        assertThat(layer.over(part, new Box(4, 3, 19, 14)).rgb()).isEqualTo(bytes(golden.get("pasted")));
    }

    private static GreyPicture softBlock() {
        return GaussianBlur.blurred(block, 2);
    }

    @Test
    void bordersAreFoundAndGrown() {
        assertThat(block.bounds()).isEqualTo(new Box(6, 4, 19, 12));
        assertThat(block.inverted().brighterThan(254).inverted().bounds()).isEqualTo(block.bounds());
        assertThat(new GreyPicture(2, 1, new byte[2]).bounds()).isNull();
        assertThat(new Box(6, 4, 19, 12).padded(5, 23, 17)).isEqualTo(new Box(1, 0, 23, 17));
    }

    /** Values worked out by hand from the rule: half on each side, then back inside, then cut. */
    @Test
    void aBoxGetsTheProportionsAsFarAsThePictureGoes() {
        assertThat(new Box(40, 45, 60, 55).withProportions(1, 1, 100, 100)).isEqualTo(new Box(40, 40, 60, 60));
        assertThat(new Box(40, 0, 60, 10).withProportions(1, 1, 100, 100)).isEqualTo(new Box(40, 0, 60, 20));
        assertThat(new Box(90, 20, 100, 60).withProportions(1, 1, 100, 100)).isEqualTo(new Box(60, 20, 100, 60));
        assertThat(new Box(0, 10, 100, 20).withProportions(1, 1, 100, 30)).isEqualTo(new Box(0, 0, 100, 30));
        assertThat(new Box(3, 3, 4, 8).withProportions(1, 1, 9, 9)).isEqualTo(new Box(1, 3, 6, 8));
    }

    private static byte[] bytes(JsonNode array) {
        byte[] bytes = new byte[array.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) array.get(i).asInt();
        }
        return bytes;
    }
}
