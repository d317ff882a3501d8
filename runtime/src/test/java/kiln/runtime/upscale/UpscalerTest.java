package kiln.runtime.upscale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.image.Picture;
import kiln.runtime.job.Tiling;
import kiln.weights.WeightsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Miniature upscalers against PyTorch's results (src/test/oracle/upscaler_golden.py). */
class UpscalerTest {
    /** Sums in another order: 2e-6 was seen. */
    private static final double F32 = 2e-5;

    private static final List<Function<WeightSource, Executor>> EXECUTORS = List.of(ReferenceExecutor::new, UpscalerTest::oneDnn);

    private static Path file(String name) {
        return NetworkGolden.resource("/upscalers/" + name);
    }

    static Picture picture(WeightsFile golden, String name) {
        List<Long> shape = golden.tensor(name).orElseThrow().shape();
        float[] values = golden.readF32(name);
        byte[] rgb = new byte[values.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (int) values[i];
        }
        return new Picture(shape.get(1).intValue(), shape.get(0).intValue(), rgb);
    }

    private static Executor oneDnn(WeightSource weights) {
        return new OneDnnExecutor(weights, Precision.F32);
    }

    private static Picture random(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        new Random(7).nextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    @ParameterizedTest
    @CsvSource({"old.pth, x4, 4", "first.safetensors, x4, 4", "x4.pth, x4, 4", "x2.safetensors, x2, 2", "compact.pth, compact, 4"})
    void everyWayToNameTensorsGivesTorchsPicture(String weights, String name, int scale) {
        for (Function<WeightSource, Executor> executor : EXECUTORS) {
            try (WeightsFile golden = WeightsFile.open(file("golden.safetensors"));
                    Upscaler upscaler = new Upscaler(UpscalerFile.open(file(weights)), executor)) {
                assertThat(upscaler.file().scale()).isEqualTo(scale);
                Picture expected = picture(golden, name + ".out");
                Picture found = upscaler.upscale(picture(golden, name + ".in"), Tiling.WHOLE, fraction -> {});
                assertThat(found.width()).isEqualTo(expected.width());
                assertThat(different(found, expected, 0)).isLessThan(expected.rgb().length / 200);
                assertThat(different(found, expected, 1)).isZero();
            }
        }
    }

    /** How many values differ by more than that. */
    private static int different(Picture a, Picture b, int allowed) {
        int count = 0;
        for (int i = 0; i < a.rgb().length; i++) {
            count += Math.abs((a.rgb()[i] & 255) - (b.rgb()[i] & 255)) > allowed ? 1 : 0;
        }
        return count;
    }

    @ParameterizedTest
    @CsvSource({"x4.pth, x4", "x2.safetensors, x2"})
    void networksAgreeWithTorchIn32Bits(String weights, String name) {
        try (WeightsFile golden = WeightsFile.open(file("golden.safetensors"));
                UpscalerFile upscaler = UpscalerFile.open(file(weights))) {
            Picture picture = picture(golden, name + ".in");
            int joined = upscaler.network().joined();
            Graph graph = upscaler.network().graph().write(picture.height() / joined, picture.width() / joined);
            float[] expected = golden.readF32(name + ".values");
            for (Function<WeightSource, Executor> factory : EXECUTORS) {
                try (Executor executor = factory.apply(upscaler.weights());
                        CompiledGraph compiled = executor.compile(graph)) {
                    Map<String, float[]> inputs = Map.of("image", PixelBlocks.joined(picture, joined));
                    float[] bgr = compiled.run(inputs, CompiledGraph.Progress.NONE).get("image");
                    float[] rgb = new float[bgr.length];
                    for (int i = 0; i < rgb.length; i++) {
                        rgb[i] = bgr[i / 3 * 3 + 2 - i % 3];
                    }
                    assertThat(Deviation.of(name, rgb, expected).largest()).isLessThan(F32);
                }
            }
        }
    }

    @Test
    void bandsAreTheWholePictureToTheBit() {
        Picture picture = random(520, 160);
        try (Upscaler upscaler = new Upscaler(UpscalerFile.open(file("x4.pth")), UpscalerTest::oneDnn)) {
            Picture inBands = upscaler.upscale(picture, Tiling.WHOLE, fraction -> {});
            UpscalerNetwork network = upscaler.file().network();
            try (Executor executor = oneDnn(upscaler.file().weights());
                    CompiledGraph whole = executor.compile(network.graph().write(160, 520))) {
                float[] result = whole.run(Map.of("image", PixelBlocks.joined(picture, 1)), CompiledGraph.Progress.NONE).get("image");
                byte[] rgb = new byte[result.length];
                PixelBlocks.write(result, 2080, 1, 0, null, rgb, 2080, 0, 640);
                assertThat(inBands.rgb()).isEqualTo(rgb);
            }
        }
    }

    @Test
    void sidesThatDoNotPartEvenlyAreMirroredAndCutOff() {
        Picture odd = random(13, 9);
        try (Upscaler upscaler = new Upscaler(UpscalerFile.open(file("x2.safetensors")), ReferenceExecutor::new)) {
            Picture found = upscaler.upscale(odd, Tiling.WHOLE, fraction -> {});
            assertThat(found.width()).isEqualTo(26);
            assertThat(found.height()).isEqualTo(18);
            byte[] mirrored = new byte[3 * 14 * 10];
            for (int y = 0; y < 10; y++) {
                System.arraycopy(odd.rgb(), 39 * (y == 9 ? 7 : y), mirrored, 42 * y, 39);
                System.arraycopy(mirrored, 42 * y + 33, mirrored, 42 * y + 39, 3);
            }
            Picture larger = upscaler.upscale(new Picture(14, 10, mirrored), Tiling.WHOLE, fraction -> {});
            for (int y = 0; y < 18; y++) {
                for (int x = 0; x < 26; x++) {
                    assertThat(found.pixel(x, y)).isEqualTo(larger.pixel(x, y));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"tiles, 9", "small, 3"})
    void tilesAreFadedAsPillowPastesThem(String name, int count) {
        try (WeightsFile golden = WeightsFile.open(file("golden.safetensors"))) {
            Picture picture = picture(golden, name + ".in");
            TileGrid grid = TileGrid.of(picture.width(), picture.height(), 20, 5);
            assertThat(grid.count()).isEqualTo(count);
            int[] brighter = {0};
            Picture found = grid.enlarged(picture, 2, tile -> {
                byte[] rgb = new byte[4 * tile.rgb().length];
                for (int i = 0; i < rgb.length; i++) {
                    int x = i / 3 % 40 / 2;
                    int y = i / 120 / 2;
                    rgb[i] = (byte) Math.min(255, (tile.rgb()[3 * (20 * y + x) + i % 3] & 255) + brighter[0]);
                }
                brighter[0] += 40;
                return new Picture(40, 40, rgb);
            });
            assertThat(found).usingRecursiveComparison().isEqualTo(picture(golden, name + ".out"));
        }
    }

    @Test
    void progressRunsFromTileToTile() {
        List<Double> told = new ArrayList<>();
        try (Upscaler upscaler = new Upscaler(UpscalerFile.open(file("compact.pth")), ReferenceExecutor::new)) {
            upscaler.upscale(random(30, 20), new Tiling(16, 4), told::add);
        }
        assertThat(told).isSorted();
        assertThat(told.get(told.size() - 1)).isEqualTo(1);
        assertThat(told).hasSizeGreaterThan(20);
    }

    @Test
    void aCheckpointIsNoUpscalerAndAnUpscalerNoCheckpoint() {
        assertThatThrownBy(() -> UpscalerFile.open(Path.of("demo/kiln-demo.safetensors")))
                .isInstanceOf(KilnException.class)
                .hasMessage("demo/kiln-demo.safetensors: this is a file of the kind SD 1.x, not an upscaler");
        for (String name : List.of("old.pth", "first.safetensors", "x2.safetensors", "compact.pth")) {
            try (ModelFiles files = ModelFiles.open(file(name))) {
                assertThatThrownBy(files::model).isInstanceOf(KilnException.class).hasMessageContaining("a file of the kind upscaler");
            }
        }
    }

    @Test
    void aFileOfSomethingElseIsToldInOneLine() {
        assertThatThrownBy(() -> UpscalerFile.open(file("golden.safetensors")))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("golden.safetensors: no upscaler of the ESRGAN family")
                .message()
                .doesNotContain("\n");
    }
}
