package kiln.runtime.exec.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.weights.ShortFloats;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Weights that stay in 16 bits until they are used. */
class NarrowWeightsTest {
    @BeforeEach
    void requireLibrary() {
        assumeTrue(OneDnn.unavailableBecause() == null, () -> "skipped: " + OneDnn.unavailableBecause());
    }

    /** To the bit: a 16-bit number is widened to the same 32-bit one early or late. */
    @Test
    void everyNetworkGivesTheSame() {
        try (ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
                OneDnnExecutor wide = new OneDnnExecutor(files, Precision.F32, false);
                OneDnnExecutor narrow = new OneDnnExecutor(files, Precision.F32, true)) {
            Model model = files.model();
            for (NetworkShape shape : List.of(
                    NetworkShape.text(model.encoders().get(0), 1),
                    NetworkShape.encoder(1, 64, 72),
                    NetworkShape.denoiser(2, 8, 9, 77),
                    NetworkShape.decoder(1, 8, 9))) {
                Graph graph = model.graph(shape);
                assertThat(Arrays.equals(run(narrow, graph), run(wide, graph))).as(shape.network()).isTrue();
            }
            assertThat(narrow.weightBytes()).isBetween(wide.weightBytes() / 2, wide.weightBytes() * 3 / 5);
        }
    }

    @Test
    void valuesThatNeed32BitsAreKept() {
        assertThat(kept(value -> value)).isNull();
        assertThat(kept(value -> ShortFloats.f16ToF32(ShortFloats.f32ToF16(value)))).isNotNull();
        assertThat(kept(value -> 1e30f * ShortFloats.bf16ToF32(ShortFloats.f32ToBf16(value)))).isNull();
        assertThat(kept(value -> 0x1p90f * ShortFloats.bf16ToF32(ShortFloats.f32ToBf16(value)))).isNotNull();
    }

    private interface Rounding {
        float of(float value);
    }

    /** What comes back of numbers so rounded; {@code null} where they are not kept narrow. */
    private static float[] kept(Rounding rounding) {
        int count = 100_003;
        Random random = new Random(3);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = rounding.of((float) random.nextGaussian());
        }
        try (AlignedMemory wide = new AlignedMemory(4L * count)) {
            FloatBuffer buffer = wide.buffer(0, 4L * count).asFloatBuffer();
            buffer.put(0, values);
            try (NarrowBlock narrow = NarrowBlock.of(wide, 4L * count)) {
                if (narrow == null) {
                    return null;
                }
                buffer.put(0, new float[count]);
                narrow.widenInto(wide);
                float[] result = new float[count];
                buffer.get(0, result);
                assertThat(result).isEqualTo(values);
                return result;
            }
        }
    }

    /** A weight that no 16 bits hold lies beside others that they do: each is found where it belongs. */
    @Test
    void wideAndNarrowWeightsMix() {
        try (ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"))) {
            WeightSource thirds = new ThirdsOfSome(files);
            Graph graph = files.model().graph(NetworkShape.decoder(1, 8, 8));
            try (OneDnnExecutor wide = new OneDnnExecutor(thirds, Precision.F32, false);
                    OneDnnExecutor narrow = new OneDnnExecutor(thirds, Precision.F32, true)) {
                assertThat(Arrays.equals(run(narrow, graph), run(wide, graph))).isTrue();
            }
        }
    }

    /** Every other convolution's weights divided by three. */
    private record ThirdsOfSome(WeightSource source) implements WeightSource {
        @Override
        public List<Integer> shape(String tensor) {
            return source.shape(tensor);
        }

        @Override
        public void read(String tensor, FloatBuffer target) {
            FloatBuffer part = target.duplicate();
            source.read(tensor, target);
            if (tensor.contains("conv1")) {
                for (int i = part.position(); i < target.position(); i++) {
                    part.put(i, part.get(i) / 3);
                }
            }
        }

        @Override
        public void readRange(String tensor, long begin, FloatBuffer target) {
            source.readRange(tensor, begin, target);
        }
    }

    private static float[] run(OneDnnExecutor executor, Graph graph) {
        Random random = new Random(17);
        Map<String, float[]> inputs = new HashMap<>();
        graph.inputs().forEach((name, node) -> {
            float[] values = new float[(int) graph.shapeOf(node).elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = name.equals("tokens") ? random.nextInt(1000) : (float) random.nextGaussian();
            }
            inputs.put(name, values);
        });
        try (CompiledGraph compiled = executor.compile(graph)) {
            // The second time other parameters have taken the shared block in between.
            compiled.run(inputs, Progress.NONE);
            return compiled.run(inputs, Progress.NONE).values().iterator().next();
        }
    }
}
