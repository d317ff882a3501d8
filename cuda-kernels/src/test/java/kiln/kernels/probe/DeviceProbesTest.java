package kiln.kernels.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import kiln.kernels.CudaContext;
import kiln.kernels.RealCard;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every probe on a card. Where there is no Maven, {@code kiln selftest} runs them as well. */
@Tag("gpu")
class DeviceProbesTest {
    @TempDir
    private static Path folder;

    private static CudaContext context;
    private static ProbeReplay replay;

    static Stream<Probe> probes() {
        return Probes.all().stream();
    }

    @BeforeAll
    static void open() throws Exception {
        context = RealCard.driver(folder).open(0);
        replay = new ProbeReplay(context);
    }

    @AfterAll
    static void close() {
        if (context != null) {
            replay.close();
            context.close();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("probes")
    void computesAsPlainJava(Probe probe) {
        Assumptions.assumeTrue(replay.canRun(probe), () -> probe.target() + " on " + context.device().capability());
        Judgement judgement = probe.judge(replay.results(probe));
        assertThat(judgement.ok()).as("%d of %d: %s", judgement.wrong(), judgement.values(), judgement.message()).isTrue();
    }
}
