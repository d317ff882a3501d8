package kiln.kernels.cases;

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

/** The same cases on a card. Where there is no Maven, {@code kiln selftest} replays them as well. */
@Tag("gpu")
class DeviceKernelsTest {
    @TempDir
    private static Path folder;

    private static CudaContext context;
    private static CaseReplay replay;

    static Stream<KernelCase> cases() {
        return KernelCases.all().stream();
    }

    @BeforeAll
    static void open() throws Exception {
        context = RealCard.driver(folder).open(0);
        replay = new CaseReplay(context);
    }

    @AfterAll
    static void close() {
        if (context != null) {
            replay.close();
            context.close();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsItsReference(KernelCase kernelCase) {
        Assumptions.assumeTrue(
                replay.canRun(kernelCase), () -> kernelCase.target() + " on " + context.device().capability());
        CaseReplay.Outcome outcome = replay.replay(kernelCase);
        assertThat(outcome.ok()).as("%s: %s", kernelCase, outcome).isTrue();
    }
}
