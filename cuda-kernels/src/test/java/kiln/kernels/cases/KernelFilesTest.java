package kiln.kernels.cases;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.norm.Softmax;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelFilesTest {
    @TempDir
    private Path folder;

    @Test
    void aCaseIsAFolderThatHoldsAllThatAReplayNeeds() throws IOException {
        KernelCase softmax = KernelCases.of(new Softmax(DataType.F16, 4)).get(0);
        KernelFiles.write(softmax, folder);
        assertThat(folder.resolve("case.json")).hasContent(
                """
                {"kernel": "softmax", "variant": "f16 x4, 7 rows of 260", "target": "sm_50",
                 "buffers": {"in": {"dtype": "f16", "shape": [7, 260], "file": "in.bin"},
                             "out": {"dtype": "f16", "shape": [7, 260], "expected": "out.expected.bin", "absolute": 1.05E-4, "relative": 0.001}},
                 "launches": [{"ptx": "softmax.ptx", "entry": "softmax", "grid": [2, 1, 1], "block": [128, 1, 1], "sharedBytes": 0, "arguments": [{"buffer": "in"}, {"buffer": "out"}, {"i32": 7}, {"i32": 260}, {"f32": 0.7213475}]}]}
                """);
        assertThat(folder.resolve("softmax.ptx")).hasContent(softmax.kernel().ptx());
        assertThat(folder.resolve("in.bin")).hasBinaryContent(DataType.F16.encode(softmax.buffers().get(0).values()));
        assertThat(folder.resolve("out.expected.bin")).hasSize(7 * 260 * 2);
    }

    @Test
    void everyVariantHasACaseAndEveryCaseAFolderOfItsOwn() {
        List<KernelCase> cases = KernelCases.all();
        assertThat(cases.stream().map(KernelCase::kernel).distinct()).containsExactlyInAnyOrderElementsOf(KernelLibrary.all());
        assertThat(cases.stream().map(each -> KernelFiles.fileName(each.toString()))).doesNotHaveDuplicates();
        for (KernelCase each : cases) {
            assertThat(each.buffers()).as(each.toString()).anyMatch(buffer -> buffer.expected() != null);
        }
    }

    @Test
    void theDumpHasAFileForEachVariant() throws IOException {
        int count = KernelFiles.dump(KernelLibrary.all(), folder);
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(count).allSatisfy(file -> assertThat(file).content().startsWith(".version "));
        }
    }
}
