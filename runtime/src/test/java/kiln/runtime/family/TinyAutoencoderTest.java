package kiln.runtime.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
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
import kiln.runtime.graph.Graph;
import kiln.runtime.model.TinyAutoencoder;
import kiln.weights.WeightsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A miniature TAESD against PyTorch (src/test/oracle/taesd_golden.py). */
class TinyAutoencoderTest {
    private static final List<Function<WeightSource, Executor>> EXECUTORS =
            List.of(ReferenceExecutor::new, weights -> new OneDnnExecutor(weights, Precision.F32));

    private static TinyAutoencoderFile open(String name) {
        return TinyAutoencoderFile.open(NetworkGolden.resource("/taesd/" + name));
    }

    private static void check(WeightSource weights, Graph graph, String input, float[] values, String output, float[] expected) {
        for (Function<WeightSource, Executor> factory : EXECUTORS) {
            try (Executor executor = factory.apply(weights);
                    CompiledGraph compiled = executor.compile(graph)) {
                float[] found = compiled.run(Map.of(input, values), CompiledGraph.Progress.NONE).get(output);
                assertThat(Deviation.of(output, found, expected).largest()).isLessThan(NetworkGolden.F32);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"taesd_decoder.pth", "diffusers.safetensors"})
    void theDecoderIsTorchs(String name) {
        try (WeightsFile golden = WeightsFile.open(NetworkGolden.resource("/taesd/golden.safetensors"));
                TinyAutoencoderFile file = open(name)) {
            float[] latent = TinyAutoencoder.limited(golden.readF32("latent"));
            check(file.decoderWeights(), file.decoder(5, 3), "latent", latent, "image", golden.readF32("decoded"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"taesd_encoder.pth", "diffusers.safetensors"})
    void theEncoderIsTorchs(String name) {
        try (WeightsFile golden = WeightsFile.open(NetworkGolden.resource("/taesd/golden.safetensors"));
                TinyAutoencoderFile file = open(name)) {
            check(file.encoderWeights(), file.encoder(24, 16), "image", golden.readF32("image"), "latent", golden.readF32("encoded"));
        }
    }

    @Test
    void aHalfIsToldFromTheOtherByWhatItReads() {
        try (TinyAutoencoderFile decoder = open("taesd_decoder.pth");
                TinyAutoencoderFile encoder = open("taesd_encoder.pth");
                TinyAutoencoderFile both = open("diffusers.safetensors")) {
            assertThat(decoder.hasEncoder()).isFalse();
            assertThat(encoder.hasDecoder()).isFalse();
            assertThat(both.hasDecoder() && both.hasEncoder()).isTrue();
        }
    }

    @Test
    void anotherFileIsToldInOneLine() {
        assertThatThrownBy(() -> open("golden.safetensors"))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("golden.safetensors: no tiny autoencoder (TAESD)");
    }
}
