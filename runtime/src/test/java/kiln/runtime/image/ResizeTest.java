package kiln.runtime.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import kiln.runtime.Vectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Against torch and Pillow (oracle/resize_golden.py). */
class ResizeTest {
    /** Sums of up to 16 32-bit products, in another order. */
    private static final float TOLERANCE = 2e-6f;

    private static JsonNode golden;

    @BeforeAll
    static void read() throws IOException {
        try (InputStream in = ResizeTest.class.getResourceAsStream("resize.json")) {
            golden = new ObjectMapper().readTree(in);
        }
    }

    private static PlaneResize mode(JsonNode golden) {
        boolean antialiased = golden.get("antialias").asBoolean();
        return switch (golden.get("mode").asText()) {
            case "nearest" -> PlaneResize.NEAREST;
            case "nearest-exact" -> PlaneResize.NEAREST_EXACT;
            case "bilinear" -> antialiased ? PlaneResize.BILINEAR_ANTIALIASED : PlaneResize.BILINEAR;
            default -> antialiased ? PlaneResize.BICUBIC_ANTIALIASED : PlaneResize.BICUBIC;
        };
    }

    @Test
    void planesAreTorchs() {
        float[] planes = Vectors.floats(golden.get("planes"));
        assertThat(golden.get("cases")).hasSize(18).allSatisfy(vector -> {
            float[] resized = mode(vector).resize(planes, 5, 7, vector.get("height").asInt(), vector.get("width").asInt());
            assertThat(resized).as(vector.get("mode").asText()).containsExactly(Vectors.floats(vector.get("planes")), Offset.offset(TOLERANCE));
        });
    }

    @Test
    void picturesArePillowsToTheBit() {
        Picture picture = new Picture(13, 9, bytes(golden.get("rgb")));
        assertThat(golden.get("pictures")).hasSize(4).allSatisfy(vector -> {
            Picture resized = PictureResize.lanczos(picture, vector.get("width").asInt(), vector.get("height").asInt());
            assertThat(resized.rgb()).isEqualTo(bytes(vector.get("rgb")));
        });
    }

    @Test
    void aCroppedPictureKeepsItsMiddleAndAFilledOneItsEdges() {
        byte[] rgb = new byte[3 * 4 * 2];
        for (int x = 0; x < 4; x++) {
            rgb[3 * x] = rgb[3 * (4 + x)] = (byte) (60 * x);
        }
        Picture wide = new Picture(4, 2, rgb);
        assertThat(red(PictureResize.cropped(wide, 2, 2))).containsExactly(60, 120, 60, 120);
        assertThat(red(PictureResize.filled(wide, 6, 2))).containsExactly(0, 0, 60, 120, 180, 180, 0, 0, 60, 120, 180, 180);
    }

    private static int[] red(Picture picture) {
        int[] red = new int[picture.width() * picture.height()];
        for (int i = 0; i < red.length; i++) {
            red[i] = picture.rgb()[3 * i] & 255;
        }
        return red;
    }

    private static byte[] bytes(JsonNode array) {
        byte[] bytes = new byte[array.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) array.get(i).asInt();
        }
        return bytes;
    }
}
