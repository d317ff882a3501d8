package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import kiln.kernels.CudaDriver;
import kiln.kernels.StandInDriver;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.Precision;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A picture by the way that it takes on a real card: from options through JCuda's own natives to a driver's library, which here is the stand-in. */
class StandInPictureTest {
    private static CudaDriver driver;

    @TempDir
    Path cache;

    @BeforeAll
    static void load() throws IOException {
        String obstacle = StandInDriver.obstacle();
        Assumptions.assumeTrue(obstacle == null, obstacle);
        driver = StandInDriver.load(Path.of("target", "stand-in").toAbsolutePath());
    }

    private byte[] draw(DeviceOptions device, String executor, Engine.DeviceOpener opener) {
        EngineOptions options = new EngineOptions(
                List.of(), List.of(), Path.of("demo", "kiln-demo.safetensors"), null, cache, executor, Precision.AUTO, 0, device);
        GenerationRequest request =
                GenerationRequest.builder().prompt("flat red heart").width(64).height(64).steps(2).seed(1).build();
        byte[][] rgb = new byte[1][];
        try (Engine engine = new Engine(options, opener)) {
            GenerationEvent last = engine.submit(request, event -> {
                        if (event instanceof GenerationEvent.PictureDone done) {
                            rgb[0] = done.picture().image().rgb();
                        }
                    })
                    .await();
            assertThat(last).isInstanceOf(GenerationEvent.Finished.class);
            return rgb[0];
        }
    }

    @Test
    void aPictureThroughJCudaEqualsTheCpus() {
        byte[] expected = draw(DeviceOptions.DEFAULT, "reference", Devices::open);
        // What --no-half asks for: both then compute in 32 bits, and only the order of sums differs.
        DeviceOptions wide = DeviceOptions.builder().weights(WeightFormat.F32).build();
        byte[] drawn = draw(wide, "cuda", (options, notices) -> CudaOpening.open(driver, options, notices));
        for (int i = 0; i < expected.length; i++) {
            assertThat((drawn[i] & 0xff) - (expected[i] & 0xff)).as("value %d", i).isBetween(-1, 1);
        }
    }
}
