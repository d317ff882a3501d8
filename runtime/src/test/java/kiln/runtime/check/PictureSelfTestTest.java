package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.Selection;
import kiln.runtime.exec.reference.ReferenceExecutor;
import org.junit.jupiter.api.Test;

class PictureSelfTestTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");

    private static byte[] bundled(String name) throws IOException {
        try (InputStream in = PictureSelfTest.class.getResourceAsStream("golden/" + name + ".png")) {
            return in.readAllBytes();
        }
    }

    @Test
    void plainJavaDrawsTheSmallPicture() {
        List<PictureSelfTest.Case> told = new ArrayList<>();
        List<PictureSelfTest.Case> cases = PictureSelfTest.run(ReferenceExecutor::new, DEMO, Selection.of("picture 64x64"), told::add);
        assertThat(cases).hasSize(1).isEqualTo(told);
        assertThat(cases.get(0).ok()).as(cases.toString()).isTrue();
        assertThat(cases.get(0).allowed()).as("32 bits").isLessThan(0.1);
    }

    @Test
    void theOthersAreTheGoldenOnes() throws IOException {
        Path golden = Path.of("src", "test", "resources", "golden");
        for (Map.Entry<String, String> each : Map.of("apple", "00.png", "rocket", "02.png", "house", "05.png").entrySet()) {
            assertThat(bundled(each.getKey())).as(each.getKey()).isEqualTo(Files.readAllBytes(golden.resolve(each.getValue())));
        }
    }

    @Test
    void nothingIsDrawnThatWasNotChosen() {
        assertThat(PictureSelfTest.run(ReferenceExecutor::new, DEMO, Selection.of("gemm"), result -> {})).isEmpty();
    }
}
