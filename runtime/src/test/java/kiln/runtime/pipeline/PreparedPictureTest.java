package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.zip.InflaterInputStream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.image.Box;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureResize;
import kiln.runtime.image.PngWriter;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InitPicture;
import kiln.runtime.job.InitPicture.ResizeMode;
import kiln.runtime.job.Mask;
import kiln.runtime.job.Mask.Fill;
import kiln.runtime.job.Outpainting;
import kiln.runtime.job.Setting;
import kiln.runtime.model.NetworkShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a picture and its mask before anything is drawn. */
class PreparedPictureTest {
    private static final int SIDE = 64;

    @TempDir
    private Path folder;

    private final List<String> notices = new ArrayList<>();

    /** A picture whose right half is white. */
    private Path half(String name, int width, int height) throws IOException {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i / 3 % width < width / 2 ? 0 : 255);
        }
        Path file = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(file)) {
            PngWriter.write(new Picture(width, height, rgb), Map.of(), out);
        }
        return file;
    }

    private GenerationRequest request(Path picture, Mask mask) {
        return GenerationRequest.builder()
                .width(SIDE).height(SIDE).seed(3).init(new InitPicture(picture, 0.5, ResizeMode.JUST_RESIZE, mask)).build();
    }

    private static Mask mask(Path file, int blur, Fill fill, boolean onlyMasked) {
        return new Mask(file, null, blur, false, fill, onlyMasked, 0, false);
    }

    @Test
    void aMaskOfAnotherSizeIsScaledAsThePictureIs() throws IOException {
        Path picture = half("picture.png", 2 * SIDE, SIDE);
        Mask mask = mask(half("mask.png", 10 * SIDE, 2), 0, Fill.ORIGINAL, false);
        PreparedPicture prepared = PreparedPicture.of(request(picture, mask), notices::add);
        assertThat(prepared.mask().width()).isEqualTo(SIDE);
        assertThat(prepared.mask().height()).isEqualTo(SIDE);
        assertThat(prepared.mask().at(20, 5)).isZero();
        assertThat(prepared.mask().at(50, 60)).isEqualTo(255);
        float[] changing = prepared.changing(8, 8, false);
        assertThat(Arrays.copyOf(changing, 8)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(notices).isEmpty();
    }

    @Test
    void softMasksStayGrey() throws IOException {
        byte[] grey = new byte[3 * SIDE * SIDE];
        Arrays.fill(grey, (byte) 100);
        Path file = folder.resolve("grey.png");
        try (OutputStream out = Files.newOutputStream(file)) {
            PngWriter.write(new Picture(SIDE, SIDE, grey), Map.of(), out);
        }
        Path picture = half("picture.png", SIDE, SIDE);
        Mask soft = new Mask(file, null, 4, false, Fill.ORIGINAL, false, 0, true);
        float[] changing = PreparedPicture.of(request(picture, soft), notices::add).changing(8, 8, true);
        assertThat(changing).containsOnly(100 / 255f);
        Mask hard = new Mask(file, null, 4, true, Fill.ORIGINAL, false, 0, false);
        assertThat(PreparedPicture.of(request(picture, hard), notices::add).changing(8, 8, false)).containsOnly(1);
    }

    @Test
    void onlyTheMasksSurroundingsAreCutOutAndPutBack() throws IOException {
        Path picture = half("picture.png", 300, 200);
        PreparedPicture prepared = PreparedPicture.of(request(picture, mask(half("mask.png", 300, 200), 0, Fill.FILL, true)), notices::add);
        assertThat(prepared.overlay().place()).isEqualTo(new Box(100, 0, 300, 200));
        assertThat(prepared.overlay().original().width()).isEqualTo(300);
        assertThat(prepared.picture().width()).isEqualTo(SIDE);
        Picture black = new Picture(SIDE, SIDE, new byte[3 * SIDE * SIDE]);
        Picture finished = prepared.overlay().over(black);
        assertThat(finished.height()).isEqualTo(200);
        assertThat(finished.pixel(299, 100)).isZero();
    }

    @Test
    void aBlankMaskIsTold() throws IOException {
        Path picture = half("picture.png", SIDE, SIDE);
        Mask blank = new Mask(half("one.png", 1, 1), null, 0, true, Fill.FILL, true, 0, false);
        assertThat(PreparedPicture.of(request(picture, blank), notices::add).mask()).isNull();
        assertThat(notices).containsExactly("the mask is blank: the whole picture is drawn");
        assertThatThrownBy(() -> PreparedPicture.of(request(picture, Mask.of((Path) null)), notices::add))
                .isInstanceOf(KilnException.class).hasMessageContaining("has no transparency");
    }

    /** Numbers worked out by hand: 40 and 16 more to make 128, of which half is on either side; a rim of 4, of the latent 1. */
    @Test
    void whatIsAddedAroundAPictureIsTheMask() throws IOException {
        Path picture = half("picture.png", 72, 64);
        Mask mask = new Mask(null, new Outpainting(20, true, true, false, false), 4, false, Fill.FILL, false, 0, false);
        assertThat(mask.outpainting().place(72, 64)).isEqualTo(new Outpainting.Place(128, 64, 28, 0));
        GenerationRequest request = request(picture, mask).toBuilder().width(128).build();
        PreparedPicture prepared = PreparedPicture.of(request, notices::add);
        for (int y : new int[] {0, 63}) {
            assertThat(prepared.mask().at(28, y)).isEqualTo(255);
            assertThat(prepared.mask().at(29, y)).isZero();
            assertThat(prepared.mask().at(99, y)).isZero();
            assertThat(prepared.mask().at(100, y)).isEqualTo(255);
        }
        assertThat(prepared.picture().pixel(127, 30)).as("blurred surroundings").isNotZero();
        Picture finished = prepared.overlay().over(new Picture(128, 64, new byte[3 * 128 * 64]));
        assertThat(finished.pixel(64, 32)).isEqualTo(0xffffff);
        assertThat(finished.pixel(85, 32)).isEqualTo(0xffffff);
        assertThat(finished.pixel(127, 32)).isZero();
    }

    /** Files of all formats (oracle/pictures.py): palettes, 16 bits, CMYK, turned by EXIF, animated, of one pixel, row or column. */
    static List<Arguments> files() throws IOException {
        List<Arguments> files = new ArrayList<>();
        try (InputStream in = PreparedPictureTest.class.getResourceAsStream("/kiln/runtime/image/pictures.json")) {
            new ObjectMapper().readTree(in).forEach(node -> files.add(Arguments.of(node.get("name").asText(), node)));
        }
        return files;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void anyPictureIsAPictureOrAMask(String name, JsonNode sample) throws IOException {
        Path file = Files.write(folder.resolve("picture"), Base64.getDecoder().decode(sample.get("file").asText()));
        byte[] packed = Base64.getDecoder().decode(sample.get("rgba").asText());
        byte[] rgba = new InflaterInputStream(new ByteArrayInputStream(packed)).readAllBytes();
        byte[] rgb = new byte[rgba.length / 4 * 3];
        for (int i = 0; i < rgb.length; i++) {
            double alpha = (rgba[i / 3 * 4 + 3] & 255) / 255.0;
            double behind = i % 3 == 0 ? 255 : 0;
            rgb[i] = (byte) Math.round((rgba[i / 3 * 4 + i % 3] & 255) * alpha + behind * (1 - alpha));
        }
        Picture overRed = new Picture(sample.get("width").asInt(), sample.get("height").asInt(), rgb);
        GenerationRequest plain = request(file, null).toBuilder().set(Setting.BACKGROUND, "#ff0000").build();
        Picture prepared = PreparedPicture.of(plain, notices::add).picture();
        // Pillow rounds its product of ink and black another way.
        int tolerance = name.contains("cmyk") ? 2 : 0;
        Picture expected = PictureResize.lanczos(overRed, SIDE, SIDE);
        for (int i = 0; i < prepared.rgb().length; i++) {
            assertThat(prepared.rgb()[i] & 255).isCloseTo(expected.rgb()[i] & 255, within(tolerance));
        }
        for (boolean onlyMasked : new boolean[] {false, true}) {
            for (ResizeMode mode : ResizeMode.values()) {
                Mask mask = new Mask(file, null, 1, false, Fill.FILL, onlyMasked, 0, true);
                GenerationRequest masked = plain.toBuilder().init(new InitPicture(half("half.png", 40, 30), 0.5, mode, mask)).build();
                assertThat(PreparedPicture.of(masked, notices::add).picture().height()).isEqualTo(SIDE);
            }
        }
    }

    /** With the demo model's own encoder: what an inpainting network reads does not depend on the network. */
    @Test
    void anInpaintingNetworkReadsTheMaskAndWhatItLeaves() throws IOException {
        Path picture = half("picture.png", SIDE, SIDE);
        GenerationRequest request = request(picture, mask(half("mask.png", SIDE, SIDE), 0, Fill.ORIGINAL, false));
        PreparedPicture prepared = PreparedPicture.of(request, notices::add);
        try (ModelSession session = new ModelSession(
                ModelFiles.open(Path.of("demo", "kiln-demo.safetensors")), PreparedPictureTest::executor)) {
            PictureEncoder encoder = new PictureEncoder(
                    session, NetworkShape.encoder(1, SIDE, SIDE), new ProgressTracker(1, 1, () -> false, event -> {}));
            float[] values = PictureEncoder.values(prepared.picture());
            float[] whole = encoder.encode(values);
            for (int i = 0; i < values.length; i++) {
                values[i] *= i / 3 % SIDE < SIDE / 2 ? 1 : 0;
            }
            float[] hidden = encoder.encode(values);
            float[] channels = InpaintingChannels.of(encoder, prepared, request);
            float[] blind = InpaintingChannels.of(encoder, prepared, request.toBuilder().set(Setting.MASK_WEIGHT, 0).build());
            assertThat(channels).hasSize(64 * 5);
            for (int p = 0; p < 64; p++) {
                assertThat(channels[5 * p]).isEqualTo(p % 8 < 4 ? 0 : 1);
                for (int k = 0; k < 4; k++) {
                    assertThat(channels[5 * p + 1 + k]).isEqualTo(hidden[64 * k + p]);
                    assertThat(blind[5 * p + 1 + k]).isEqualTo(whole[64 * k + p]);
                }
            }
            assertThat(hidden).isNotEqualTo(whole);
        }
    }

    private static Executor executor(WeightSource files) {
        return OneDnn.unavailableBecause() == null ? new OneDnnExecutor(files, Precision.F32) : new ReferenceExecutor(files);
    }
}
